// SPDX-License-Identifier: Apache-2.0
#include "cli/store_content.h"

#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "cli/commands.h"

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
constexpr size_t kHeadSizeOffset = 48;

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

void Require(const std::string& what, Status status) {
  if (status == Status::kOk) return;
  throw CommandError(what + ": " + std::string(StatusSentence(status)));
}

/// The rules of a medium with such units, as boards see it: what is written a sector or a page at a
/// time needs no erase; cards, whose sectors have 512 bytes, read as 0 when nothing was written.
storage::Geometry GeometryOf(size_t size_bytes, uint32_t erase_unit, uint32_t program_unit) {
  const bool needs_erase = erase_unit != program_unit;
  const auto erased = static_cast<uint8_t>(needs_erase || erase_unit != 512 ? 0xFF : 0);
  return {static_cast<uint32_t>(size_bytes),
          1,
          program_unit,
          erase_unit,
          erased,
          !needs_erase,
          needs_erase};
}

}  // namespace

std::vector<ImageEntry> StoreContent::List() {
  std::vector<ImageEntry> entries;
  for (uint32_t i = 0; i < store_.image_count(); ++i) {
    const auto info = store_.ReadImageInfo(i);
    Require("cannot read the store's records", info.status());
    entries.push_back(
        {std::string(info->name.view()), info->size_bytes, 0, StateName(info->state)});
  }
  return entries;
}

bool StoreContent::Has(const std::string& name) {
  return store_.FindImage(storage::ModelName(name), ImageChoice::kInUse).ok();
}

std::vector<uint8_t> StoreContent::Read(const std::string& name) {
  const auto info = store_.FindImage(storage::ModelName(name), ImageChoice::kInUse);
  Require("cannot find " + name, info.status());
  const auto source = store_.Open(storage::ModelName(name), ImageChoice::kInUse);
  Require("cannot open " + name, source.status());
  std::vector<uint8_t> content((*source)->size_bytes());
  const Status status = (*source)->Read(0, content);
  store_.Close(*source);
  Require("cannot read " + name, status);
  if (crypto::ComputeSha256(content) != info->digest) {
    throw CommandError(name + " is damaged: its bytes do not have their digest; store it anew");
  }
  return content;
}

void StoreContent::Add(const std::string& name, const std::vector<uint8_t>& content) {
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

void StoreContent::Check(ImageCheck& check) {
  storage::ScrubReport report;
  const Status status = Drive([&] { return store_.Scrub(report); });
  if (status == Status::kWrongState) return;  // a model is in staging, whose digest is not known
  Require("cannot check the models", status);
  check.model_count = report.image_count;
  if (report.damaged_image_count == 0) return;
  check.is_sound = false;
  for (uint32_t i = 0; i < store_.image_count(); ++i) {
    const auto info = store_.ReadImageInfo(i);
    Require("cannot read the store's records", info.status());
    if (IsSound(*info)) continue;
    check.findings.push_back("model " + std::string(info->name.view()) +
                             " is damaged: its bytes do not have their digest");
  }
}

bool StoreContent::IsSound(const storage::ImageInfo& info) {
  const bool is_confirmed = info.state == ImageState::kConfirmed;
  const auto source =
      store_.Open(info.name, is_confirmed ? ImageChoice::kConfirmed : ImageChoice::kCandidate);
  if (!source.ok()) return false;
  std::vector<uint8_t> content((*source)->size_bytes());
  const Status status = (*source)->Read(0, content);
  store_.Close(*source);
  return status == Status::kOk && crypto::ComputeSha256(content) == info.digest;
}

RawStoreRegion::RawStoreRegion(std::vector<uint8_t>& bytes, uint32_t erase_unit,
                               uint32_t program_unit, uint32_t offset, uint32_t size_bytes)
    : device_(bytes, GeometryOf(bytes.size(), erase_unit, program_unit)),
      region_(device_, offset, size_bytes),
      workspace_(RoundUp(kWorkspaceBytes, program_unit)),
      store_(region_, workspace_),
      content_(store_) {}

Status RawStoreRegion::Format() {
  return Drive([&] { return store_.Format(); });
}

Status RawStoreRegion::Mount() {
  return Drive([&] { return store_.Mount(); });
}

std::unique_ptr<RawStoreRegion> RawStoreRegion::Find(std::vector<uint8_t>& bytes, uint32_t offset,
                                                     uint32_t end) {
  const size_t search_end = std::min<size_t>(end, offset + kHeadSearchBytes);
  for (size_t at = offset; at + kRecordBytes <= search_end; ++at) {
    const uint8_t* const record = bytes.data() + at;
    if (std::memcmp(record + kRecordMagicOffset, "OTAJ", 4) != 0 ||
        record[kRecordKindOffset] != kHeadKind) {
      continue;
    }
    const uint32_t erase_unit = LoadLe32(record + kHeadEraseUnitOffset);
    const uint32_t program_unit = LoadLe32(record + kHeadProgramUnitOffset);
    const uint32_t size_bytes = LoadLe32(record + kHeadSizeOffset);
    if (program_unit == 0 || program_unit > 65536 || erase_unit == 0 ||
        erase_unit % program_unit != 0 || erase_unit > bytes.size()) {
      continue;
    }
    const uint64_t begin = (uint64_t{offset} + erase_unit - 1) / erase_unit * erase_unit;
    if (begin >= end || size_bytes > end - begin) continue;
    auto found = std::make_unique<RawStoreRegion>(bytes, erase_unit, program_unit,
                                                  static_cast<uint32_t>(begin), size_bytes);
    if (found->Mount() == Status::kOk) return found;
  }
  return nullptr;
}

}  // namespace ota::cli
