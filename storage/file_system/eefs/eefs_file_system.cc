// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/eefs/eefs_file_system.h"

#include <algorithm>
#include <cstring>

#include "base/units.h"

namespace ota::storage {
namespace {

constexpr uint32_t kMagic = 0xEEF51234;
constexpr uint32_t kVersion = 1;
constexpr uint32_t kTableHeaderBytes = 24;
constexpr uint32_t kTableEntryBytes = 8;
constexpr uint32_t kFileHeaderBytes = 64;
constexpr uint32_t kNameBytes = 40;
constexpr uint32_t kSlotAlignment = 4;
constexpr uint32_t kSlotCountLimit = 4096;

// Offsets of the table's fields.
constexpr uint32_t kMagicOffset = 4;
constexpr uint32_t kFreeOffsetOffset = 12;
constexpr uint32_t kFreeSizeOffset = 16;
constexpr uint32_t kCountOffset = 20;

// Offsets of a file header's fields.
constexpr uint32_t kInUseOffset = 4;
constexpr uint32_t kAttributesOffset = 8;
constexpr uint32_t kSizeOffset = 12;
constexpr uint32_t kModifiedOffset = 16;
constexpr uint32_t kNameOffset = 24;
constexpr uint32_t kReadOnlyAttribute = 1;

// CRC-16/ARC of one more byte.
uint32_t AddToCrc(uint32_t crc, uint8_t byte) {
  crc ^= byte;
  for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xA001 : crc >> 1;
  return crc;
}

// Whether each bit of `value` is one of `count` or of the number before it.
bool IsTornCount(uint32_t value, uint32_t count) {
  return ((value ^ count) & ~((count - 1) ^ count)) == 0;
}

Status VerifyName(std::string_view name) {
  const bool is_valid =
      !name.empty() && name.size() < kNameBytes && name.find('\0') == std::string_view::npos;
  return is_valid ? Status::kOk : Status::kNameInvalid;
}

}  // namespace

uint32_t EefsFileSystem::Load(const uint8_t* at) const {
  return is_little_endian_ ? LoadLe32(at) : LoadBe32(at);
}

void EefsFileSystem::Store(uint8_t* at, uint32_t value) const {
  is_little_endian_ ? StoreLe32(at, value) : StoreBe32(at, value);
}

Status EefsFileSystem::WriteField(uint32_t offset, uint32_t value) {
  uint8_t raw[4];
  Store(raw, value);
  OTA_TRY(device_.Program(offset, raw));
  return device_.Sync();
}

Status EefsFileSystem::Mount() {
  is_mounted_ = false;
  const Geometry& geometry = device_.geometry();
  if (geometry.needs_erase || geometry.program_unit > DeviceAccess::kWidenedUnitMax ||
      geometry.read_unit > DeviceAccess::kWidenedUnitMax) {
    return Status::kNotSupported;
  }
  uint8_t header[kTableHeaderBytes];
  OTA_TRY(device_.Read(0, header));
  is_little_endian_ = LoadLe32(header + kMagicOffset) == kMagic;
  if (Load(header + kMagicOffset) != kMagic || Load(header + 8) != kVersion) {
    return Status::kCorrupted;
  }
  OTA_TRY(ReadTable(header));
  is_mounted_ = true;
  return Status::kOk;
}

// Whether the slot lies behind `free_offset_`, where it begins exactly if it is not the first one.
bool EefsFileSystem::IsNextSlot(uint32_t index, const Slot& slot) const {
  const uint64_t length = uint64_t{kFileHeaderBytes} + slot.capacity_bytes;
  const bool is_placed = index == 0 ? slot.header_offset >= kTableHeaderBytes + kTableEntryBytes
                                    : slot.header_offset >= free_offset_;
  return is_placed && slot.header_offset % kSlotAlignment == 0 &&
         slot.capacity_bytes % kSlotAlignment == 0 &&
         IsInBounds(slot.header_offset, length, device_.geometry().size_bytes);
}

// Walks the entries as long as they are slots, at most `count` of them, and `free_offset_` to where
// the last one ends. Returns how many they are.
Result<uint32_t> EefsFileSystem::WalkSlots(uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const Slot slot, ReadSlot(i));
    if (!IsNextSlot(i, slot)) return i;
    if (i == 0) {
      slot_count_max_ = (slot.header_offset - kTableHeaderBytes) / kTableEntryBytes;
      slot_count_max_ = std::min(slot_count_max_, kSlotCountLimit);
      count = std::min(count, slot_count_max_ + 1);
    }
    free_offset_ = slot.header_offset + kFileHeaderBytes + slot.capacity_bytes;
  }
  return count;
}

// Slots follow one another; where the last one ends is the truth about the free range. A new slot's
// entry is written first, then the free range behind it, then the count: so if the range fits the
// entries but not the count, the count is what is torn, and the slot is there.
Status EefsFileSystem::ReadTable(ByteSpan header) {
  const uint32_t device_bytes = device_.geometry().size_bytes;
  const uint32_t free_offset = Load(header.data() + kFreeOffsetOffset);
  const uint32_t free_size = Load(header.data() + kFreeSizeOffset);
  const bool is_range_inside = IsInBounds(free_offset, free_size, device_bytes);
  volume_bytes_ = is_range_inside ? free_offset + free_size : device_bytes;
  slot_count_ = Load(header.data() + kCountOffset);
  slot_count_max_ = 0;
  free_offset_ = free_offset;
  if (slot_count_ == 0 && is_range_inside && free_offset >= kTableHeaderBytes + kTableEntryBytes) {
    slot_count_max_ = (free_offset - kTableHeaderBytes) / kTableEntryBytes;
  }
  OTA_TRY(uint32_t found, WalkSlots(std::min(slot_count_, kSlotCountLimit)));
  is_count_torn_ = false;
  if (found != slot_count_ || found == 0 || free_offset_ != free_offset || !is_range_inside) {
    const uint32_t counted_end = free_offset_;
    OTA_TRY(const uint32_t all, WalkSlots(kSlotCountLimit));
    is_count_torn_ =
        is_range_inside && all != 0 && free_offset_ == free_offset && IsTornCount(slot_count_, all);
    if (is_count_torn_) found = slot_count_ = all;
    if (!is_count_torn_) free_offset_ = counted_end;
  }
  if (found != slot_count_) return Status::kCorrupted;
  is_table_torn_ = free_offset_ != free_offset || !is_range_inside;
  if (is_table_torn_) volume_bytes_ = device_bytes;
  slot_count_max_ = std::min(slot_count_max_, kSlotCountLimit);
  return slot_count_max_ != 0 && slot_count_ <= slot_count_max_ ? Status::kOk : Status::kCorrupted;
}

Status EefsFileSystem::Format() {
  is_mounted_ = false;
  const Geometry& geometry = device_.geometry();
  const uint32_t table_bytes = kTableHeaderBytes + options_.slot_count_max * kTableEntryBytes;
  if (geometry.needs_erase || options_.slot_count_max == 0 ||
      options_.slot_count_max > kSlotCountLimit ||
      geometry.program_unit > DeviceAccess::kWidenedUnitMax ||
      geometry.read_unit > DeviceAccess::kWidenedUnitMax ||
      geometry.size_bytes < table_bytes + kFileHeaderBytes + kSlotAlignment) {
    return Status::kNotSupported;
  }
  is_little_endian_ = options_.byte_order == EefsOptions::ByteOrder::kLittle;
  OTA_TRY(WriteField(kMagicOffset, 0));
  const uint8_t zeros[kTableEntryBytes] = {};
  for (uint32_t at = 0; at < table_bytes; at += kTableEntryBytes) {
    OTA_TRY(device_.Program(at, zeros));
  }
  OTA_TRY(WriteField(8, kVersion));
  OTA_TRY(WriteField(kFreeOffsetOffset, table_bytes));
  OTA_TRY(WriteField(kFreeSizeOffset, geometry.size_bytes - table_bytes));
  OTA_TRY(WriteField(kMagicOffset, kMagic));
  return Mount();
}

Result<EefsFileSystem::Slot> EefsFileSystem::ReadSlot(uint32_t index) {
  uint8_t raw[kTableEntryBytes];
  OTA_TRY(device_.Read(kTableHeaderBytes + index * kTableEntryBytes, raw));
  return Slot{Load(raw), Load(raw + 4)};
}

Result<EefsFileSystem::Header> EefsFileSystem::ReadHeader(const Slot& slot) {
  uint8_t raw[kFileHeaderBytes];
  OTA_TRY(device_.Read(slot.header_offset, raw));
  Header header{};
  header.is_in_use = Load(raw + kInUseOffset) == 1;
  header.is_read_only = (Load(raw + kAttributesOffset) & kReadOnlyAttribute) != 0;
  header.size_bytes = Load(raw + kSizeOffset);
  header.modified_s = Load(raw + kModifiedOffset);
  std::memcpy(header.name, raw + kNameOffset, kNameBytes);
  while (header.name_length < kNameBytes && header.name[header.name_length] != '\0') {
    ++header.name_length;
  }
  return header;
}

Result<uint32_t> EefsFileSystem::FindFile(std::string_view name, Slot& slot, Header& header) {
  OTA_TRY(VerifyName(name));
  for (uint32_t i = 0; i < slot_count_; ++i) {
    OTA_TRY(slot, ReadSlot(i));
    OTA_TRY(header, ReadHeader(slot));
    if (header.is_in_use && std::string_view(header.name, header.name_length) == name) return i;
  }
  return Status::kNotFound;
}

Result<Directory> EefsFileSystem::OpenDirectory(std::string_view path) {
  OTA_TRY(VerifyMounted());
  if (!path.empty() && path != "/") return Status::kNotFound;
  return Directory{};
}

Result<FileInfo> EefsFileSystem::ReadDirectory(Directory& directory, std::span<char> name) {
  OTA_TRY(VerifyMounted());
  while (directory.index < slot_count_) {
    OTA_TRY(const Slot slot, ReadSlot(directory.index++));
    OTA_TRY(const Header header, ReadHeader(slot));
    if (!header.is_in_use) continue;
    if (header.name_length > name.size()) return Status::kBufferTooSmall;
    std::memcpy(name.data(), header.name, header.name_length);
    FileInfo info;
    info.name = std::string_view(name.data(), header.name_length);
    info.size_bytes = header.size_bytes;
    info.modified_s = header.modified_s;
    info.is_read_only = header.is_read_only;
    return info;
  }
  return Status::kEndOfInput;
}

Result<File> EefsFileSystem::Open(std::string_view path) {
  OTA_TRY(VerifyMounted());
  Slot slot{};
  Header header{};
  OTA_TRY(const uint32_t index, FindFile(path, slot, header));
  if (header.size_bytes > slot.capacity_bytes) return Status::kCorrupted;
  File file;
  file.id = index;
  file.size_bytes = header.size_bytes;
  file.synced_size_bytes = header.size_bytes;
  file.entry_offset = slot.header_offset;
  file.capacity_bytes = slot.capacity_bytes;
  file.is_read_only = header.is_read_only;
  return file;
}

// The smallest slot of a deleted file that fits, else a new one behind the last.
Result<uint32_t> EefsFileSystem::FindFreeSlot(uint32_t capacity_bytes, Slot& slot) {
  uint32_t best = slot_count_;
  for (uint32_t i = 0; i < slot_count_; ++i) {
    OTA_TRY(const Slot found, ReadSlot(i));
    OTA_TRY(const Header header, ReadHeader(found));
    if (header.is_in_use || found.capacity_bytes < capacity_bytes) continue;
    if (best != slot_count_ && found.capacity_bytes >= slot.capacity_bytes) continue;
    best = i;
    slot = found;
  }
  if (best != slot_count_) return best;
  slot = {free_offset_, capacity_bytes};
  const uint64_t length = uint64_t{kFileHeaderBytes} + capacity_bytes;
  const bool has_room = IsInBounds(free_offset_, length, volume_bytes_);
  if (!has_room || slot_count_ == slot_count_max_) return Status::kStorageFull;
  return slot_count_;
}

// The word that says "in use" comes last, and one byte of it changes.
Status EefsFileSystem::WriteHeader(const Slot& slot, std::string_view name) {
  uint8_t raw[kFileHeaderBytes] = {};
  Store(raw + kModifiedOffset, time_s());
  Store(raw + kModifiedOffset + 4, time_s());
  std::memcpy(raw + kNameOffset, name.data(), name.size());
  OTA_TRY(WriteField(slot.header_offset + kInUseOffset, 0));
  OTA_TRY(device_.Program(slot.header_offset, raw));
  OTA_TRY(device_.Sync());
  return WriteField(slot.header_offset + kInUseOffset, 1);
}

// The count comes last: until then the slot is not there.
Status EefsFileSystem::AddSlot(const Slot& slot) {
  const uint32_t entry = kTableHeaderBytes + slot_count_ * kTableEntryBytes;
  OTA_TRY(WriteField(entry, slot.header_offset));
  OTA_TRY(WriteField(entry + 4, slot.capacity_bytes));
  free_offset_ = slot.header_offset + kFileHeaderBytes + slot.capacity_bytes;
  OTA_TRY(WriteField(kFreeOffsetOffset, free_offset_));
  OTA_TRY(WriteField(kFreeSizeOffset, volume_bytes_ - free_offset_));
  OTA_TRY(WriteField(kCountOffset, slot_count_ + 1));
  ++slot_count_;
  return Status::kOk;
}

Result<File> EefsFileSystem::Create(std::string_view path, uint32_t capacity_bytes) {
  OTA_TRY(VerifyMounted());
  Slot slot{};
  Header header{};
  const Status found = FindFile(path, slot, header).status();
  if (found != Status::kNotFound) return IsOk(found) ? Status::kAlreadyExists : found;
  if (capacity_bytes == 0) capacity_bytes = kDefaultCapacityBytes;
  if (capacity_bytes > volume_bytes_) return Status::kStorageFull;
  OTA_TRY(const uint32_t index, FindFreeSlot(RoundUp(capacity_bytes, kSlotAlignment), slot));
  OTA_TRY(WriteHeader(slot, path));
  if (index == slot_count_) OTA_TRY(AddSlot(slot));
  File file;
  file.id = index;
  file.entry_offset = slot.header_offset;
  file.capacity_bytes = slot.capacity_bytes;
  return file;
}

Result<File> EefsFileSystem::CreateContiguous(std::string_view path, uint32_t size_bytes) {
  if (size_bytes == 0) return Status::kInvalidArgument;
  OTA_TRY(File file, Create(path, size_bytes));
  file.size_bytes = size_bytes;
  OTA_TRY(Sync(file));
  return file;
}

Status EefsFileSystem::Append(File& file, ByteSpan bytes) {
  OTA_TRY(VerifyMounted());
  if (file.is_read_only) return Status::kNotSupported;
  if (!IsInBounds(file.size_bytes, bytes.size(), file.capacity_bytes)) {
    return Status::kStorageFull;
  }
  OTA_TRY(device_.Program(file.entry_offset + kFileHeaderBytes + file.size_bytes, bytes));
  file.size_bytes += static_cast<uint32_t>(bytes.size());
  return Status::kOk;
}

Status EefsFileSystem::Sync(File& file) {
  OTA_TRY(VerifyMounted());
  OTA_TRY(device_.Sync());
  if (file.size_bytes == file.synced_size_bytes) return Status::kOk;
  // High bytes first: what a cut leaves is not below the old size.
  uint8_t raw[4];
  Store(raw, file.size_bytes);
  for (uint32_t i = 0; i < sizeof(raw); ++i) {
    const uint32_t at = is_little_endian_ ? 3 - i : i;
    OTA_TRY(device_.Program(file.entry_offset + kSizeOffset + at, ByteSpan(raw + at, 1)));
  }
  OTA_TRY(WriteField(file.entry_offset + kModifiedOffset, time_s()));
  file.synced_size_bytes = file.size_bytes;
  return Status::kOk;
}

Status EefsFileSystem::Read(File& file, uint32_t offset, MutableByteSpan target) {
  OTA_TRY(VerifyMounted());
  if (!IsInBounds(offset, target.size(), file.size_bytes)) return Status::kOutOfRange;
  return device_.Read(file.entry_offset + kFileHeaderBytes + offset, target);
}

Result<size_t> EefsFileSystem::ReadExtents(File& file, uint32_t offset, std::span<Extent> extents) {
  OTA_TRY(VerifyMounted());
  if (offset > file.size_bytes) return Status::kInvalidArgument;
  if (offset == file.size_bytes || extents.empty()) return size_t{0};
  const uint32_t length = file.size_bytes - offset;
  extents[0] = {file.entry_offset + kFileHeaderBytes + offset, length, 1, length};
  return size_t{1};
}

Status EefsFileSystem::Delete(std::string_view path) {
  OTA_TRY(VerifyMounted());
  Slot slot{};
  Header header{};
  OTA_TRY(FindFile(path, slot, header).status());
  if (header.is_read_only) return Status::kNotSupported;
  OTA_TRY(WriteField(slot.header_offset + kInUseOffset, 0));
  const uint8_t zeros[kFileHeaderBytes] = {};
  OTA_TRY(device_.Program(slot.header_offset, zeros));
  return device_.Sync();
}

Status EefsFileSystem::Rename(std::string_view source, std::string_view target) {
  OTA_TRY(VerifyMounted());
  Slot slot{};
  Header header{};
  const Status found = FindFile(target, slot, header).status();
  if (found != Status::kNotFound) return IsOk(found) ? Status::kAlreadyExists : found;
  OTA_TRY(FindFile(source, slot, header).status());
  if (header.is_read_only) return Status::kNotSupported;
  uint8_t name[kNameBytes] = {};
  std::memcpy(name, target.data(), target.size());
  OTA_TRY(device_.Program(slot.header_offset + kNameOffset, name));
  return device_.Sync();
}

Status EefsFileSystem::CreateDirectory(std::string_view path) {
  (void)path;  // the format has none
  return Status::kNotSupported;
}

Status EefsFileSystem::SetReadOnly(std::string_view path, bool is_read_only) {
  OTA_TRY(VerifyMounted());
  Slot slot{};
  Header header{};
  OTA_TRY(FindFile(path, slot, header).status());
  return WriteField(slot.header_offset + kAttributesOffset, is_read_only ? kReadOnlyAttribute : 0);
}

Result<CheckReport> EefsFileSystem::Check(CheckMode mode, MutableByteSpan work) {
  OTA_TRY(VerifyMounted());
  if (work.size() < kCheckWorkBytesMin) return Status::kBufferTooSmall;
  CheckReport report;
  for (uint32_t i = 0; i < slot_count_; ++i) {
    OTA_TRY(const Slot slot, ReadSlot(i));
    OTA_TRY(const Header header, ReadHeader(slot));
    if (!header.is_in_use) continue;
    ++report.file_count;
    const bool is_damaged = header.name_length == 0 || header.name_length == kNameBytes;
    report.damaged_file_count += is_damaged ? 1 : 0;
    if (header.size_bytes <= slot.capacity_bytes) continue;
    ++report.other_count;  // a size that was torn
    if (mode == CheckMode::kReport) continue;
    OTA_TRY(WriteField(slot.header_offset + kSizeOffset, slot.capacity_bytes));
  }
  if (!is_table_torn_ && !is_count_torn_) return report;
  ++report.other_count;
  if (mode == CheckMode::kReport) return report;
  OTA_TRY(WriteField(kFreeOffsetOffset, free_offset_));
  OTA_TRY(WriteField(kFreeSizeOffset, volume_bytes_ - free_offset_));
  OTA_TRY(WriteField(kCountOffset, slot_count_));
  is_table_torn_ = is_count_torn_ = false;
  return report;
}

Result<VolumeSpace> EefsFileSystem::ReadSpace() {
  OTA_TRY(VerifyMounted());
  VolumeSpace space;
  const uint32_t first_slot = kTableHeaderBytes + slot_count_max_ * kTableEntryBytes;
  space.total_bytes = volume_bytes_ - std::min(volume_bytes_, first_slot);
  space.file_count_max = slot_count_max_;
  const uint32_t behind = volume_bytes_ - std::min(volume_bytes_, free_offset_);
  if (slot_count_ < slot_count_max_ && behind > kFileHeaderBytes) {
    space.free_bytes = (behind - kFileHeaderBytes) / kSlotAlignment * kSlotAlignment;
  }
  for (uint32_t i = 0; i < slot_count_; ++i) {
    OTA_TRY(const Slot slot, ReadSlot(i));
    OTA_TRY(const Header header, ReadHeader(slot));
    if (!header.is_in_use) space.free_bytes = std::max(space.free_bytes, slot.capacity_bytes);
  }
  return space;
}

// Over the whole volume but its first four bytes, free space counted as zeros.
Result<uint32_t> EefsFileSystem::ComputeTableCrc() {
  uint32_t crc = 0;
  uint8_t chunk[32];
  for (uint32_t at = kMagicOffset; at < volume_bytes_; at += sizeof(chunk)) {
    const uint32_t count = std::min<uint32_t>(sizeof(chunk), volume_bytes_ - at);
    std::memset(chunk, 0, sizeof(chunk));
    if (at < free_offset_) {
      OTA_TRY(device_.Read(at, MutableByteSpan(chunk, std::min(count, free_offset_ - at))));
    }
    for (uint32_t i = 0; i < count; ++i) crc = AddToCrc(crc, chunk[i]);
  }
  return crc;
}

Result<bool> EefsFileSystem::ReadIsPristine() {
  OTA_TRY(VerifyMounted());
  uint8_t raw[4];
  OTA_TRY(device_.Read(0, raw));
  OTA_TRY(const uint32_t crc, ComputeTableCrc());
  return (Load(raw) & 0xFFFF) == crc;
}

Status EefsFileSystem::WriteTableCrc() {
  OTA_TRY(VerifyMounted());
  OTA_TRY(const uint32_t crc, ComputeTableCrc());
  // The format holds it sign-extended.
  return WriteField(0, (crc & 0x8000) != 0 ? crc | 0xFFFF0000 : crc);
}

}  // namespace ota::storage
