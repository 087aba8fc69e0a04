// SPDX-License-Identifier: Apache-2.0
#include "cli/raw_image.h"

#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "cli/commands.h"
#include "storage/block_device/memory_block_device.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::cli {
namespace {

using storage::ImageChoice;
using storage::ImageState;

constexpr uint32_t kWorkspaceBytes = 4096;
// Where a journal's first head can lie at most, and what it holds: docs/formats/model_store.md.
constexpr size_t kHeadSearchBytes = 1 << 20;
constexpr size_t kRecordBytes = 128;
constexpr size_t kRecordMagicOffset = 16;
constexpr size_t kRecordKindOffset = 21;
constexpr uint8_t kHeadKind = 1;
constexpr size_t kHeadEraseUnitOffset = 40;
constexpr size_t kHeadProgramUnitOffset = 44;

const char* StateName(ImageState state) {
  switch (state) {
    case ImageState::kStaging:
      return "staging";
    case ImageState::kStaged:
      return "staged";
    case ImageState::kTrial:
      return "trial";
    case ImageState::kConfirmed:
      return "confirmed";
  }
  return "?";
}

template <typename Step>
Status Drive(Step step) {
  Status status = step();
  while (status == Status::kBusy) status = step();
  return status;
}

class RawImage final : public VolumeImage {
 public:
  RawImage(std::vector<uint8_t> bytes, uint32_t erase_unit, uint32_t program_unit)
      : VolumeImage(std::move(bytes)),
        device_(bytes_, {static_cast<uint32_t>(bytes_.size()), 1, program_unit, erase_unit, 0xFF,
                         false, true}),
        workspace_(RoundUp(kWorkspaceBytes, program_unit)),
        store_(device_, workspace_) {}

  Status Format() {
    return Drive([&] { return store_.Format(); });
  }
  Status Mount() {
    return Drive([&] { return store_.Mount(); });
  }

  std::string description() const override {
    return "raw model store, erase units of " + std::to_string(device_.geometry().erase_unit) +
           " and program units of " + std::to_string(device_.geometry().program_unit) + " bytes";
  }

  std::vector<ImageEntry> List() override {
    std::vector<ImageEntry> entries;
    for (uint32_t i = 0; i < store_.image_count(); ++i) {
      const auto info = store_.ReadImageInfo(i);
      Require("cannot read the store's records", info.status());
      entries.push_back(
          {std::string(info->name.view()), info->size_bytes, 0, StateName(info->state)});
    }
    return entries;
  }

  std::vector<uint8_t> Read(const std::string& name) override {
    const auto source = store_.Open(storage::ModelName(name), ImageChoice::kInUse);
    Require("cannot open " + name, source.status());
    std::vector<uint8_t> content((*source)->size_bytes());
    const Status status = (*source)->Read(0, content);
    store_.Close(*source);
    Require("cannot read " + name, status);
    return content;
  }

  void Add(const std::string& name, const std::vector<uint8_t>& content) override {
    const std::string what = "cannot add " + name;
    const storage::ModelName model(name);
    storage::StageRequest request;
    request.name = model;
    request.size_bytes = static_cast<uint32_t>(content.size());
    request.digest = crypto::ComputeSha256(content);
    const Status begun = Drive([&] { return store_.Begin(request); });
    if (begun == Status::kStorageFull) {
      throw CommandError("no room for " + name + ": it needs " +
                         std::to_string(store_.NeededBytes(request.size_bytes)) +
                         " bytes in one run, free are " + std::to_string(ReadFreeBytes()) +
                         "; give a larger --size or fewer models");
    }
    Require(what, begun);
    for (ByteSpan rest = content; !rest.empty();) {
      const Result<uint32_t> taken = store_.Append(rest);
      if (taken.status() == Status::kBusy) continue;
      Require(what, taken.status());
      rest = rest.subspan(*taken);
    }
    Require(what, Drive([&] { return store_.Finish(); }));
    Require(what, Drive([&] { return store_.Activate(model); }));
    Require(what, Drive([&] { return store_.Confirm(model); }));
  }

  uint64_t ReadFreeBytes() override { return store_.space().largest_free_bytes; }

  ImageCheck Check(bool) override {
    storage::ScrubReport report;
    const Status status = Drive([&] { return store_.Scrub(report); });
    Require("cannot check", status);
    ImageCheck check{report.image_count, report.damaged_image_count == 0, {}};
    if (!check.is_sound) {
      check.findings.push_back(std::to_string(report.damaged_image_count) +
                               " images whose bytes do not have their digest, the last is " +
                               std::string(report.damaged.view()));
    }
    return check;
  }

 private:
  static void Require(const std::string& what, Status status) {
    if (status == Status::kOk) return;
    throw CommandError(what + ": " + std::string(StatusSentence(status)));
  }

  storage::MemoryBlockDevice device_;
  std::vector<uint8_t> workspace_;
  storage::RawModelStore store_;
};

}  // namespace

std::unique_ptr<VolumeImage> MakeRawImage(uint32_t size_bytes, uint32_t erase_unit,
                                          uint32_t program_unit) {
  if (program_unit == 0 || erase_unit == 0 || erase_unit % program_unit != 0 ||
      size_bytes % erase_unit != 0) {
    throw CommandError("--size must be a multiple of --erase-unit, that one of --program-unit", 2);
  }
  auto image =
      std::make_unique<RawImage>(std::vector<uint8_t>(size_bytes, 0xFF), erase_unit, program_unit);
  const Status status = image->Format();
  if (status != Status::kOk) {
    throw CommandError("cannot make a model store of these units: " +
                           std::string(StatusSentence(status)) + " Give another --size",
                       2);
  }
  return image;
}

std::unique_ptr<VolumeImage> OpenRawImage(const std::vector<uint8_t>& bytes) {
  const size_t end = std::min(bytes.size(), kHeadSearchBytes);
  for (size_t at = 0; at + kRecordBytes <= end; ++at) {
    const uint8_t* const record = bytes.data() + at;
    if (std::memcmp(record + kRecordMagicOffset, "OTAJ", 4) != 0 ||
        record[kRecordKindOffset] != kHeadKind) {
      continue;
    }
    const uint32_t erase_unit = LoadLe32(record + kHeadEraseUnitOffset);
    const uint32_t program_unit = LoadLe32(record + kHeadProgramUnitOffset);
    const bool is_geometry = program_unit != 0 && program_unit <= 65536 && erase_unit != 0 &&
                             erase_unit % program_unit == 0 && bytes.size() % erase_unit == 0;
    if (!is_geometry) continue;
    auto image = std::make_unique<RawImage>(bytes, erase_unit, program_unit);
    if (image->Mount() == Status::kOk) return image;
  }
  return nullptr;
}

}  // namespace ota::cli
