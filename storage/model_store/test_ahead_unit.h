// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "storage/block_device/flash_driver.h"
#include "storage/block_device/read_ahead.h"
#include "storage/block_device/read_cache.h"
#include "storage/block_device/test_hardware.h"
#include "storage/model_store/raw_model_store.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {

/// A memory unit with one model, as a board has it: driver, reading ahead, cache and store.
template <typename Hardware>
class AheadUnit {
 public:
  static constexpr uint32_t kSizeBytes = 2 * 1024 * 1024;

  /// Waits that nobody asks for are no longer skipped when it is made.
  explicit AheadUnit(const std::vector<uint8_t>& model) {
    status_ = RunToEnd([&] { return store_.Format(); });
    if (IsOk(status_)) status_ = InstallModel(store_, "model", model);
    while (IsOk(status_) && source_ == nullptr) {
      const Result<ByteSource*> opened = store_.Open("model", ImageChoice::kInUse);
      if (opened.ok()) source_ = *opened;
      if (opened.status() != Status::kBusy) status_ = opened.status();
    }
    clock().set_skips_waits(false);
  }

  Status status() const { return status_; }
  simulator::SimulatedClock& clock() { return hardware_.clock; }
  Hardware& hardware() { return hardware_; }
  ReadAheadDevice& device() { return device_; }
  /// The model.
  ByteSource& source() { return *source_; }

 private:
  Hardware hardware_{kSizeBytes};
  std::array<uint8_t, 512> queue_ = {};
  std::array<uint8_t, 512> workspace_ = {};
  std::array<uint8_t, 4096> pages_ = {};
  FlashDriver driver_{hardware_.controller(), queue_};
  ReadAheadDevice device_{driver_, hardware_.transfer()};
  ReadCache cache_{device_, pages_, 512};
  // Where any byte can be read, a cache has nothing to keep.
  RawModelStore store_{
      device_.geometry().read_unit == 1 ? static_cast<BlockDevice&>(device_) : cache_, workspace_};
  Status status_ = Status::kOk;
  ByteSource* source_ = nullptr;
};

}  // namespace ota::storage
