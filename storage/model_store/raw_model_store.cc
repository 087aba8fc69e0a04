// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/raw_model_store.h"

#include <algorithm>

#include "base/units.h"
#include "storage/block_device/aligned_read.h"

namespace ota::storage {

Status RawModelStore::Mount() {
  const uint32_t unit = journal_.geometry().program_unit;
  if (workspace_.empty() || unit == 0 || workspace_.size() % unit != 0) {
    return Status::kNotSupported;
  }
  return JournaledStore::Mount();
}

// --- space

uint32_t RawModelStore::UnitCount(uint32_t size_bytes) const {
  return size_bytes / erase_unit() + (size_bytes % erase_unit() == 0 ? 0 : 1);
}

uint32_t RawModelStore::NeededBytes(uint32_t size_bytes) const {
  return UnitCount(size_bytes) * erase_unit();
}

bool RawModelStore::IsPlace(uint32_t place, uint32_t size_bytes) const {
  return place >= first_unit() && IsInBounds(place, UnitCount(size_bytes), end_unit());
}

/// The first slot in [first, end) that is taken, leaving out what an image of `replacing_hash` that
/// is being staged would replace.
const RawModelStore::Entry* RawModelStore::FindBlocking(uint32_t first, uint32_t end,
                                                        uint32_t replacing_hash) const {
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.state == EntryState::kFree) continue;
    const bool is_replaced = replacing_hash != 0 && entry.IsReplacedBy(replacing_hash);
    const bool is_apart = entry.place >= end || entry.place + UnitCount(entry.size_bytes) <= first;
    if (is_replaced || is_apart) continue;
    if (found == nullptr || entry.place < found->place) found = &entry;
  }
  return found;
}

/// The first free run behind the newest image, going round the device.
Result<uint32_t> RawModelStore::FindPlace(uint32_t size_bytes, uint32_t name_hash) {
  const uint32_t count = UnitCount(size_bytes);
  const uint32_t starts[] = {std::max(newest_place_ + UnitCount(newest_bytes_), first_unit()),
                             first_unit()};
  for (const uint32_t start : starts) {
    uint32_t first = start;
    while (IsInBounds(first, count, end_unit())) {
      const Entry* const entry = FindBlocking(first, first + count, name_hash);
      if (entry == nullptr) return first;
      first = entry->place + UnitCount(entry->size_bytes);
    }
  }
  return Status::kStorageFull;
}

StoreSpace RawModelStore::space() {
  StoreSpace space{.total_bytes = journal_.geometry().size_bytes - journal_.size_bytes(),
                   .first_place = first_unit()};
  for (uint32_t first = first_unit(); first < end_unit();) {
    const Entry* const entry = FindBlocking(first, end_unit(), 0);
    const uint32_t end = entry == nullptr ? end_unit() : std::max(first, entry->place);
    const uint32_t run = (end - first) * erase_unit();
    space.free_bytes += run;
    space.largest_free_bytes = std::max(space.largest_free_bytes, run);
    first = entry == nullptr ? end : entry->place + UnitCount(entry->size_bytes);
  }
  return space;
}

// --- slots

Status RawModelStore::PreparePlace() {
  erased_bytes_ = 0;
  return Status::kOk;
}

Result<uint32_t> RawModelStore::ReopenPlace() {
  erased_bytes_ = durable_bytes_;
  return durable_bytes_;
}

/// A resume starts at an erase unit, because what a cut left behind must be erased.
uint32_t RawModelStore::resume_unit() const {
  return journal_.geometry().needs_erase ? erase_unit() : JournaledStore::resume_unit();
}

/// Erases ahead of what it programs.
Status RawModelStore::WriteWorkspace(uint32_t length) {
  const Geometry& geometry = journal_.geometry();
  const uint32_t first = staging_->place * geometry.erase_unit;
  while (geometry.needs_erase && erased_bytes_ < taken_bytes_) {
    OTA_TRY(device_.Erase(first + erased_bytes_, geometry.erase_unit));
    erased_bytes_ += geometry.erase_unit;
  }
  const uint32_t padded = RoundUp(length, geometry.program_unit);
  std::fill_n(workspace_.begin() + length, padded - length, geometry.erased_value);
  return device_.Program(first + programmed_bytes_, workspace_.first(padded));
}

Status RawModelStore::ReadImage(const Entry& entry, uint32_t offset, MutableByteSpan target) {
  return ReadUnaligned(device_, entry.place * erase_unit() + offset, target);
}

std::optional<ByteSpan> RawModelStore::MapImage(const Entry& entry) const {
  const std::optional<ByteSpan> all = device_.Map();
  if (!all) return std::nullopt;
  return all->subspan(size_t{entry.place} * erase_unit()).first(entry.size_bytes);
}

}  // namespace ota::storage
