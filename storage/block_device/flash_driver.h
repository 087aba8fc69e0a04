// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/block_device.h"
#include "storage/block_device/flash_controller.h"

namespace ota::storage {

/// A memory part as a block device. A Program is copied into the queue and goes to the controller
/// piece by piece, each time that the device is called; so no call waits for more than one piece.
class FlashDriver final : public BlockDevice {
 public:
  /// `controller` and `queue` must outlive it. The length of `queue`, a multiple of the program
  /// unit, is the most that one Program takes; a longer one gives kInvalidArgument.
  FlashDriver(FlashController& controller, MutableByteSpan queue)
      : controller_(controller), queue_(queue) {}

  const Geometry& geometry() const override { return controller_.geometry(); }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  Status Program(uint32_t offset, ByteSpan data) override;
  Status Erase(uint32_t offset, uint32_t length) override;
  Status Sync() override;
  bool is_busy() const override;
  std::optional<ByteSpan> Map() const override { return controller_.Map(); }

 private:
  Status Accept(uint32_t Geometry::*unit, uint32_t offset, size_t length);
  Status Advance();
  Status StartNext();

  FlashController& controller_;
  MutableByteSpan queue_;
  uint32_t offset_ = 0;           ///< of what is to be programmed or erased next
  uint32_t program_at_ = 0;       ///< position in the queue
  uint32_t program_end_ = 0;      ///< 0: nothing to program
  uint32_t erase_bytes_ = 0;      ///< still to be erased
  Status failure_ = Status::kOk;  ///< to be told by the next Sync
};

/// Guards that all drivers share. kOutOfRange, kMisaligned, kOk.
Status CheckRange(const Geometry& geometry, uint32_t unit, uint32_t offset, size_t length);

}  // namespace ota::storage
