// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_directory.h"

#include <algorithm>
#include <cstring>

namespace ota::storage {
namespace {

constexpr uint8_t kEntryEnd = 0x00;
constexpr uint8_t kSlotLast = 0x40;
constexpr uint32_t kSlotOrderMax = 20;
constexpr uint32_t kHashTriesMax = 64;

bool IsLongNameSlot(const uint8_t* slot) {
  return (slot[11] & 0x3F) == kFatLongName && slot[0] != kFatEntryDeleted;
}

uint32_t HashName(std::string_view name, uint32_t salt) {
  uint32_t hash = 2166136261u + salt;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  hash = (hash ^ (hash >> 16)) & 0xFFFF;
  return hash == 0 ? 1 : hash;
}

// The digit of a short name "STEM~digit" that has the stem of `wanted`; 0 when it is no such name.
uint32_t TailDigit(const uint8_t* entry, const uint8_t* wanted) {
  uint8_t tailed[kFatShortNameBytes];
  for (uint32_t digit = 1; digit <= 9; ++digit) {
    std::memcpy(tailed, wanted, sizeof(tailed));
    AddFatTail(tailed, digit, 0);
    if (std::memcmp(tailed, entry, sizeof(tailed)) == 0) return digit;
  }
  return 0;
}

}  // namespace

// The slots of a long name that were read so far and what they expect next.
struct FatDirectories::LongName {
  Directory first_slot;
  uint32_t slot_count = 0;
  uint32_t next_order = 0;  // 0: the short entry
  uint8_t checksum = 0;
  bool is_whole = false;

  // False: the slot does not continue what came before.
  bool Take(const uint8_t* slot, const Directory& at) {
    const uint32_t order = slot[0] & ~uint32_t{kSlotLast};
    if ((slot[0] & kSlotLast) != 0) {
      if (order == 0 || order > kSlotOrderMax) return false;
      *this = {at, 1, order - 1, slot[13], true};
      return true;
    }
    if (!is_whole || order == 0 || order != next_order || slot[13] != checksum) return false;
    ++slot_count;
    --next_order;
    return true;
  }
  bool BelongsTo(const uint8_t* entry) const {
    return is_whole && next_order == 0 && checksum == ComputeFatChecksum(entry);
  }
};

Directory FatDirectories::Open(uint32_t first_cluster) const {
  if (first_cluster == 0) first_cluster = volume_.layout().root_cluster;
  return {first_cluster, first_cluster, 0};
}

Status FatDirectories::ReadSlot(Directory& directory, uint8_t* slot, uint32_t& offset) {
  const FatLayout& layout = volume_.layout();
  if (directory.index >= kSlotsMax) return Status::kCorrupted;
  if (directory.first_cluster == 0) {
    if (directory.index >= layout.root_entry_count) return Status::kEndOfInput;
    offset = layout.root_offset + directory.index * kFatEntryBytes;
  } else {
    const uint32_t per_cluster = layout.cluster_bytes / kFatEntryBytes;
    if (directory.index != 0 && directory.index % per_cluster == 0) {
      OTA_TRY(const uint32_t next, volume_.ReadLink(directory.cluster));
      if (next == FatVolume::kEnd) return Status::kEndOfInput;
      directory.cluster = next;
    }
    if (!layout.IsCluster(directory.cluster)) return Status::kCorrupted;
    offset =
        layout.ClusterOffset(directory.cluster) + directory.index % per_cluster * kFatEntryBytes;
  }
  OTA_TRY(volume_.Read(offset, MutableByteSpan(slot, kFatEntryBytes)));
  ++directory.index;
  return Status::kOk;
}

Status FatDirectories::ReadEntry(Directory& directory, FatEntry& entry, FatNameCollector* names) {
  LongName long_name;
  const auto drop = [&]() -> Status {
    const uint32_t count = long_name.slot_count;
    const Directory first = long_name.first_slot;
    long_name = {};
    stray_slot_count_ += count;
    return erases_strays_ && count != 0 ? MarkDeleted(first, count) : Status::kOk;
  };
  for (;;) {
    const Directory at = directory;
    const Status status = ReadSlot(directory, entry.bytes, entry.offset);
    const bool is_end =
        status == Status::kEndOfInput || (IsOk(status) && entry.bytes[0] == kEntryEnd);
    if (!IsOk(status) && !is_end) return status;
    if (is_end) {
      directory = at;
      OTA_TRY(drop());
      return Status::kEndOfInput;
    }
    if (IsLongNameSlot(entry.bytes)) {
      const bool is_last = (entry.bytes[0] & kSlotLast) != 0;
      if (is_last) OTA_TRY(drop());
      if (long_name.Take(entry.bytes, at)) {
        if (names != nullptr && is_last) names->Restart();
        if (names != nullptr) names->Add(entry.bytes, is_last);
        continue;
      }
      OTA_TRY(drop());
      long_name = {at, 1};  // belongs to nothing
      continue;
    }
    const bool has_name = long_name.is_whole && long_name.next_order == 0;
    if (entry.bytes[0] != kFatEntryDeleted && !(has_name && long_name.BelongsTo(entry.bytes))) {
      OTA_TRY(HealFirstByte(entry, long_name.checksum, has_name));
    }
    const bool is_entry = entry.bytes[0] != kFatEntryDeleted && (entry.bytes[11] & kFatLabel) == 0;
    if (!is_entry || (long_name.slot_count != 0 && !long_name.BelongsTo(entry.bytes))) {
      OTA_TRY(drop());
    }
    if (!is_entry) continue;
    entry.first_slot = long_name.slot_count != 0 ? long_name.first_slot : at;
    entry.slot_count = long_name.slot_count;
    return Status::kOk;
  }
}

Result<FatEntry> FatDirectories::Find(uint32_t first_cluster, std::string_view name) {
  Directory directory = Open(first_cluster);
  FatEntry entry;
  for (;;) {
    const Status status = ReadEntry(directory, entry, nullptr);
    if (status == Status::kEndOfInput) return Status::kNotFound;
    OTA_TRY(status);
    if (entry.is_dot()) continue;
    char text[kFatShortTextMax];
    const size_t length = FormatFatShortName(entry.bytes, text);
    if (EqualsIgnoringCase(name, std::string_view(text, length))) return entry;
    if (entry.slot_count == 0) continue;
    Directory slots = entry.first_slot;
    bool is_match = true;
    for (uint32_t order = entry.slot_count; order > 0 && is_match; --order) {
      uint8_t slot[kFatEntryBytes];
      uint32_t offset = 0;
      OTA_TRY(ReadSlot(slots, slot, offset));
      is_match = MatchesFatSlot(name, order, order == entry.slot_count, slot);
    }
    if (is_match) return entry;
  }
}

Result<FatEntry> FatDirectories::FindPath(std::string_view path, uint32_t& parent,
                                          std::string_view& last) {
  parent = 0;
  for (;;) {
    if (path.starts_with('/')) path.remove_prefix(1);
    const size_t slash = path.find('/');
    last = path.substr(0, slash);
    OTA_TRY(VerifyFatName(last));
    Result<FatEntry> entry = Find(parent, last);
    if (slash == std::string_view::npos) return entry;
    if (!entry.ok()) {
      parent = FatVolume::kEnd;
      return entry.status();
    }
    if (!entry->is_directory()) {
      parent = FatVolume::kEnd;
      return Status::kNotFound;
    }
    parent = entry->first_cluster(volume_.layout().kind);
    if (!volume_.layout().IsCluster(parent)) return Status::kCorrupted;
    path.remove_prefix(slash + 1);
  }
}

Result<uint32_t> FatDirectories::FindDirectory(std::string_view path) {
  if (path.empty() || path == "/") return 0u;
  if (path.ends_with('/')) path.remove_suffix(1);
  uint32_t parent = 0;
  std::string_view last;
  OTA_TRY(const FatEntry entry, FindPath(path, parent, last));
  if (!entry.is_directory()) return Status::kNotFound;
  const uint32_t first = entry.first_cluster(volume_.layout().kind);
  if (!volume_.layout().IsCluster(first)) return Status::kCorrupted;
  return first;
}

Status FatDirectories::Extend(Directory& end) {
  const FatLayout& layout = volume_.layout();
  if (end.first_cluster == 0 || end.index >= kSlotsMax) return Status::kStorageFull;
  // Empty before it is linked, so that no cut shows what the cluster held before.
  OTA_TRY(const uint32_t added, volume_.Allocate(0));
  OTA_TRY(volume_.Fill(layout.ClusterOffset(added), layout.cluster_bytes, 0));
  OTA_TRY(volume_.Commit());
  OTA_TRY(volume_.WriteLink(end.cluster, added));
  return volume_.Commit();
}

Result<FatDirectories::Place> FatDirectories::FindPlace(uint32_t first_cluster, uint32_t slot_count,
                                                        const uint8_t* short_name) {
  Directory directory = Open(first_cluster);
  Place place{directory, 0, false};
  uint32_t run = 0;
  while (!place.reaches_end || run < slot_count) {
    const Directory at = directory;
    uint8_t slot[kFatEntryBytes];
    uint32_t offset = 0;
    const Status status = ReadSlot(directory, slot, offset);
    if (status == Status::kEndOfInput) {
      if (run == slot_count) break;
      directory = at;
      OTA_TRY(Extend(directory));
      continue;
    }
    OTA_TRY(status);
    if (slot[0] == kEntryEnd) {
      if (run == slot_count) break;
      place.reaches_end = true;
    }
    if (place.reaches_end || slot[0] == kFatEntryDeleted) {
      if (run == 0) place.first = at;
      if (run < slot_count) ++run;
      continue;
    }
    if (run < slot_count) run = 0;
    const uint32_t digit = IsLongNameSlot(slot) ? 0 : TailDigit(slot, short_name);
    place.tail_digits |= digit == 0 ? 0 : 1u << digit;
  }
  return place;
}

Result<bool> FatDirectories::ReadIsShortNameTaken(uint32_t first_cluster,
                                                  const uint8_t* short_name) {
  Directory directory = Open(first_cluster);
  FatEntry entry;
  for (;;) {
    const Status status = ReadEntry(directory, entry, nullptr);
    if (status == Status::kEndOfInput) return false;
    OTA_TRY(status);
    if (std::memcmp(entry.bytes, short_name, kFatShortNameBytes) == 0) return true;
  }
}

Status FatDirectories::ChooseShortName(uint32_t first_cluster, std::string_view name,
                                       uint32_t tail_digits, uint8_t* short_name) {
  for (uint32_t digit = 1; digit <= 9; ++digit) {
    if ((tail_digits & (1u << digit)) != 0) continue;
    AddFatTail(short_name, digit, 0);
    return Status::kOk;
  }
  uint8_t stem[kFatShortNameBytes];
  std::memcpy(stem, short_name, sizeof(stem));
  for (uint32_t salt = 0; salt < kHashTriesMax; ++salt) {
    std::memcpy(short_name, stem, sizeof(stem));
    AddFatTail(short_name, 1, HashName(name, salt));
    OTA_TRY(const bool is_taken, ReadIsShortNameTaken(first_cluster, short_name));
    if (!is_taken) return Status::kOk;
  }
  return Status::kStorageFull;
}

Result<uint32_t> FatDirectories::Insert(uint32_t first_cluster, std::string_view name,
                                        uint8_t* bytes) {
  const uint32_t slot_count = MakeFatShortName(name, bytes) ? 0 : FatSlotCount(name);
  OTA_TRY(const Place place, FindPlace(first_cluster, slot_count + 1, bytes));
  if (slot_count != 0) OTA_TRY(ChooseShortName(first_cluster, name, place.tail_digits, bytes));
  const uint8_t first_byte = bytes[0];
  const uint8_t checksum = ComputeFatChecksum(bytes);

  uint8_t slot[kFatEntryBytes];
  uint32_t offset = 0;
  if (place.reaches_end) {
    // What lies behind a directory's end is undefined: move the mark before it is overwritten.
    Directory behind = place.first;
    for (uint32_t i = 0; i <= slot_count; ++i) OTA_TRY(ReadSlot(behind, slot, offset));
    const Status status = ReadSlot(behind, slot, offset);
    if (status != Status::kEndOfInput) {
      OTA_TRY(status);
      const uint8_t end_mark = kEntryEnd;
      if (slot[0] != kEntryEnd) OTA_TRY(volume_.Write(offset, ByteSpan(&end_mark, 1)));
    }
  }
  // Each commit changes of a slot either what no one looks at, or its first byte alone: a torn
  // sector shows nothing but first bytes that are torn, which HealFirstByte knows.
  OTA_TRY(ClearSlots(place.first, slot_count + 1));
  OTA_TRY(MarkDeleted(place.first, slot_count + 1));
  Directory at = place.first;
  for (uint32_t order = slot_count; order > 0; --order) {
    OTA_TRY(ReadSlot(at, slot, offset));
    EncodeFatSlot(name, order, order == slot_count, checksum, slot);
    OTA_TRY(volume_.Write(offset + 1, ByteSpan(slot).subspan(1)));
  }
  OTA_TRY(ReadSlot(at, slot, offset));
  OTA_TRY(volume_.Write(offset + 1, ByteSpan(bytes, kFatEntryBytes).subspan(1)));
  OTA_TRY(volume_.Commit());
  at = place.first;
  for (uint32_t order = slot_count; order > 0; --order) {
    OTA_TRY(ReadSlot(at, slot, offset));
    const auto first = static_cast<uint8_t>(order | (order == slot_count ? kSlotLast : 0u));
    OTA_TRY(volume_.Write(offset, ByteSpan(&first, 1)));
  }
  OTA_TRY(volume_.Commit());
  OTA_TRY(ReadSlot(at, slot, offset));
  OTA_TRY(volume_.Write(offset, ByteSpan(&first_byte, 1)));
  OTA_TRY(volume_.Commit());
  return offset;
}

/// Zeros behind the first byte, where that says that the slots are free.
Status FatDirectories::ClearSlots(Directory first, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    uint8_t slot[kFatEntryBytes];
    uint32_t offset = 0;
    OTA_TRY(ReadSlot(first, slot, offset));
    if (slot[0] != kEntryEnd) continue;
    std::memset(slot, 0, sizeof(slot));
    OTA_TRY(volume_.Write(offset, slot));
  }
  return volume_.Commit();
}

// An entry whose first byte was torn on its way from or to kFatEntryDeleted: its long name has the
// checksum of the whole short name, which tells what the byte was. And one torn on its way from
// kEntryEnd, which has nothing but that byte.
Status FatDirectories::HealFirstByte(FatEntry& entry, uint8_t checksum, bool has_name) {
  const bool is_bare =
      std::all_of(entry.bytes + 1, entry.bytes + kFatEntryBytes, [](uint8_t b) { return b == 0; });
  uint8_t healed = kFatEntryDeleted;
  if (is_bare) {
    if ((entry.bytes[0] & ~kFatEntryDeleted) != 0) return Status::kOk;
  } else {
    if (!has_name) return Status::kOk;
    // Adding and rotating can be undone, so that one byte fits.
    uint8_t whole[kFatShortNameBytes];
    std::memcpy(whole, entry.bytes, sizeof(whole));
    for (uint32_t value = 0x21; value < 0x100; ++value) {
      whole[0] = static_cast<uint8_t>(value);
      if (ComputeFatChecksum(whole) == checksum) healed = whole[0];
    }
    const auto torn = static_cast<uint8_t>(kFatEntryDeleted ^ healed);
    if (healed == kFatEntryDeleted || ((entry.bytes[0] ^ healed) & ~torn) != 0) return Status::kOk;
  }
  ++stray_slot_count_;
  if (!erases_strays_) return Status::kOk;
  entry.bytes[0] = healed;
  OTA_TRY(volume_.Write(entry.offset, ByteSpan(&healed, 1)));
  return volume_.Commit();
}

Status FatDirectories::MarkDeleted(Directory first, uint32_t count) {
  const uint8_t mark = kFatEntryDeleted;
  for (uint32_t i = 0; i < count; ++i) {
    uint8_t slot[kFatEntryBytes];
    uint32_t offset = 0;
    OTA_TRY(ReadSlot(first, slot, offset));
    OTA_TRY(volume_.Write(offset, ByteSpan(&mark, 1)));
  }
  return volume_.Commit();
}

Status FatDirectories::Remove(const FatEntry& entry) {
  const uint8_t mark = kFatEntryDeleted;
  OTA_TRY(volume_.Write(entry.offset, ByteSpan(&mark, 1)));
  OTA_TRY(volume_.Commit());
  return MarkDeleted(entry.first_slot, entry.slot_count);
}

Result<bool> FatDirectories::ReadIsEmpty(uint32_t first_cluster) {
  Directory directory = Open(first_cluster);
  FatEntry entry;
  for (;;) {
    const Status status = ReadEntry(directory, entry, nullptr);
    if (status == Status::kEndOfInput) return true;
    OTA_TRY(status);
    if (!entry.is_dot()) return false;
  }
}

}  // namespace ota::storage
