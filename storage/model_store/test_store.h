// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "crypto/sha256.h"
#include "simulator/memory_parts/on_chip_flash.h"
#include "storage/block_device/flash_driver.h"
#include "storage/model_store/raw_model_store.h"

// What the store's tests share: running an operation to its end, and models to keep.

namespace ota::storage {

/// Asks again until the answer is not kBusy.
template <typename Function>
Status RunToEnd(Function function) {
  for (;;) {
    const Status status = function();
    if (status != Status::kBusy) return status;
  }
}

/// The same bytes for the same arguments; kept, since a harness asks often.
inline const std::vector<uint8_t>& MakeModel(uint32_t size_bytes, uint32_t seed) {
  static std::map<std::pair<uint32_t, uint32_t>, std::vector<uint8_t>> models;
  std::vector<uint8_t>& model = models[{size_bytes, seed}];
  if (model.size() == size_bytes) return model;
  Prng prng(seed * 2654435761u | 1);
  model.resize(size_bytes);
  for (uint8_t& byte : model) byte = static_cast<uint8_t>(prng.Next() >> 24);
  return model;
}

inline const crypto::Sha256Digest& ComputeModelDigest(const std::vector<uint8_t>& model) {
  static std::map<std::vector<uint8_t>, crypto::Sha256Digest> digests;
  const auto known = digests.find(model);
  return known != digests.end() ? known->second : digests[model] = crypto::ComputeSha256(model);
}

inline StageRequest MakeRequest(const ModelName& name, const std::vector<uint8_t>& model) {
  return StageRequest{.name = name,
                      .size_bytes = static_cast<uint32_t>(model.size()),
                      .digest = ComputeModelDigest(model),
                      .sequence_number = model.size()};
}

/// Appends what the image in staging still lacks, in pieces of `piece` bytes.
inline Status AppendRest(ModelStore& store, const std::vector<uint8_t>& model, uint32_t piece) {
  while (store.staged_bytes() < model.size()) {
    const ByteSpan rest = ByteSpan(model).subspan(store.staged_bytes());
    const Result<uint32_t> accepted =
        store.Append(rest.first(std::min<size_t>(piece, rest.size())));
    if (!accepted.ok() && accepted.status() != Status::kBusy) return accepted.status();
  }
  return Status::kOk;
}

inline Status StageModel(ModelStore& store, const ModelName& name,
                         const std::vector<uint8_t>& model, uint32_t piece = 100) {
  const StageRequest request = MakeRequest(name, model);
  OTA_TRY(RunToEnd([&] { return store.Begin(request); }));
  OTA_TRY(AppendRest(store, model, piece));
  return RunToEnd([&] { return store.Finish(); });
}

/// Stages, activates and confirms.
inline Status InstallModel(ModelStore& store, const ModelName& name,
                           const std::vector<uint8_t>& model) {
  OTA_TRY(StageModel(store, name, model));
  OTA_TRY(RunToEnd([&] { return store.Activate(name); }));
  return RunToEnd([&] { return store.Confirm(name); });
}

/// The bytes of an image through Open.
inline Result<std::vector<uint8_t>> ReadModel(ModelStore& store, const ModelName& name,
                                              ImageChoice choice = ImageChoice::kInUse) {
  ByteSource* source = nullptr;
  OTA_TRY(RunToEnd([&] {
    const Result<ByteSource*> opened = store.Open(name, choice);
    if (opened.ok()) source = *opened;
    return opened.status();
  }));
  std::vector<uint8_t> bytes(source->size_bytes());
  const Status status = RunToEnd([&] { return source->Read(0, bytes); });
  store.Close(source);
  if (!IsOk(status)) return status;
  return bytes;
}

/// A store on an on-chip flash that survives restarts.
class FlashWorld {
 public:
  explicit FlashWorld(const simulator::OnChipFlashTraits& traits, uint32_t size_bytes = 0,
                      uint32_t segment_count = 0)
      : flash_(traits, clock_, power_, "", size_bytes),
        segment_count_(segment_count),
        workspace_(std::max<uint32_t>(traits.nor.program_unit, 64)) {
    Restart();
  }

  /// Power comes back: RAM is empty, the flash is as it was left.
  void Restart() {
    power_.Restore();
    driver_ = std::make_unique<FlashDriver>(flash_, queue_);
    store_ = std::make_unique<RawModelStore>(*driver_, workspace_, segment_count_);
  }
  Status RestartAndMount() {
    Restart();
    return RunToEnd([&] { return store_->Mount(); });
  }
  Status Format() {
    return RunToEnd([&] { return store_->Format(); });
  }

  /// From the next restart on.
  void UseSegments(uint32_t count) { segment_count_ = count; }

  RawModelStore& store() { return *store_; }
  simulator::OnChipFlash& flash() { return flash_; }
  simulator::PowerSupply& power() { return power_; }
  simulator::SimulatedClock& clock() { return clock_; }

 private:
  simulator::SimulatedClock clock_;
  simulator::PowerSupply power_;
  simulator::OnChipFlash flash_;
  uint32_t segment_count_;
  std::array<uint8_t, 512> queue_;
  std::vector<uint8_t> workspace_;
  std::unique_ptr<FlashDriver> driver_;
  std::unique_ptr<RawModelStore> store_;
};

}  // namespace ota::storage
