// SPDX-License-Identifier: Apache-2.0
// Installs a model in an encrypted raw store on a flash of RAM, starts it again, reads the model.
#include <algorithm>
#include <array>

#include "base/units.h"
#include "firmware/board.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/partition.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::firmware {
namespace {

constexpr storage::Geometry kGeometry = {KiB(64), 1, 4, KiB(4), 0xFF, true, true};
constexpr uint32_t kModelBytes = 9000;
constexpr crypto::AesKey kKey = {1, 2, 3, 5, 8, 13, 21, 34};

/// Keeps the rules of NOR flash, and is busy for one Poll after each change.
class RamFlash final : public storage::FlashController {
 public:
  const storage::Geometry& geometry() const override { return kGeometry; }
  uint32_t program_bytes_max() const override { return 4; }
  Status StartProgram(uint32_t offset, ByteSpan data) override {
    for (size_t i = 0; i < data.size(); ++i) bytes_[offset + i] &= data[i];
    is_busy_ = true;
    return Status::kOk;
  }
  Status StartErase(uint32_t offset) override {
    std::fill_n(bytes_.begin() + offset, kGeometry.erase_unit, kGeometry.erased_value);
    is_busy_ = true;
    return Status::kOk;
  }
  Status Poll() override {
    const Status status = is_busy_ ? Status::kBusy : Status::kOk;
    is_busy_ = false;
    return status;
  }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    std::copy_n(bytes_.begin() + offset, target.size(), target.begin());
    return Status::kOk;
  }
  std::optional<ByteSpan> Map() const override { return bytes_; }

 private:
  std::array<uint8_t, kGeometry.size_bytes> bytes_;
  bool is_busy_ = false;
};

RamFlash flash;
std::array<uint8_t, 256> queue;
std::array<uint8_t, 256> workspace;
std::array<uint8_t, kModelBytes> model;

template <typename Function>
Status RunToEnd(Function function) {
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = function();
  return status;
}

Status Install(storage::ModelStore& store) {
  const storage::StageRequest request{
      .name = "kws", .size_bytes = kModelBytes, .digest = crypto::ComputeSha256(model)};
  OTA_TRY(RunToEnd([&] { return store.Begin(request); }));
  while (store.staged_bytes() < kModelBytes) {
    const Result<uint32_t> taken = store.Append(ByteSpan(model).subspan(store.staged_bytes()));
    if (!taken.ok() && taken.status() != Status::kBusy) return taken.status();
  }
  OTA_TRY(RunToEnd([&] { return store.Finish(); }));
  OTA_TRY(RunToEnd([&] { return store.Activate("kws"); }));
  return RunToEnd([&] { return store.Confirm("kws"); });
}

Status CompareStored(storage::ModelStore& store) {
  OTA_TRY(RunToEnd([&] { return store.Mount(); }));
  OTA_TRY(ByteSource* const source, store.Open("kws"));
  for (uint32_t at = 0; at < kModelBytes; at += 100) {
    std::array<uint8_t, 100> part;
    OTA_TRY(source->Read(at, part));
    if (!std::equal(part.begin(), part.end(), model.begin() + at)) return Status::kCorrupted;
  }
  return Status::kOk;
}

}  // namespace

uint8_t RunApplication() {
  for (uint32_t i = 0; i < kModelBytes; ++i) model[i] = static_cast<uint8_t>(i * i >> 3);
  storage::FlashDriver driver(flash, queue);
  storage::Partition partition(driver, 0, kGeometry.size_bytes);
  storage::AesImageCipher cipher(kKey);
  storage::RawModelStore store(partition, workspace);
  store.UseCipher(cipher);
  if (!IsOk(RunToEnd([&] { return store.Format(); })) || !IsOk(Install(store))) return 1;
  storage::RawModelStore again(partition, workspace);
  again.UseCipher(cipher);
  return IsOk(CompareStored(again)) ? 0 : 1;
}

}  // namespace ota::firmware
