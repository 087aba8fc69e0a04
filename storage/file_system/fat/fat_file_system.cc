// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_file_system.h"

#include <algorithm>
#include <cstring>

#include "storage/file_system/fat/fat_time.h"

namespace ota::storage {
namespace {

constexpr uint32_t kFileBytesMax = 0xFFFFFFFF;

void StoreFirstCluster(uint8_t* entry, uint32_t cluster) {
  StoreLe16(entry + 20, static_cast<uint16_t>(cluster >> 16));
  StoreLe16(entry + 26, static_cast<uint16_t>(cluster));
}

void FillDotEntry(uint8_t* entry, std::string_view name, uint32_t cluster) {
  std::memset(entry, ' ', kFatShortNameBytes);
  std::memcpy(entry, name.data(), name.size());
  entry[11] = kFatDirectory;
  StoreFirstCluster(entry, cluster);
}

}  // namespace

void FatFileSystem::FillTimes(uint8_t* entry, bool is_new) const {
  const FatTime now = EncodeFatTime(time_s());
  if (is_new) {
    StoreLe16(entry + 14, now.time);
    StoreLe16(entry + 16, now.date);
  }
  StoreLe16(entry + 18, now.date);
  StoreLe16(entry + 22, now.time);
  StoreLe16(entry + 24, now.date);
}

Result<Directory> FatFileSystem::OpenDirectory(std::string_view path) {
  OTA_TRY(VerifyMounted());
  FatDirectories directories(volume_);
  OTA_TRY(const uint32_t first, directories.FindDirectory(path));
  return directories.Open(first);
}

Result<FileInfo> FatFileSystem::ReadDirectory(Directory& directory, std::span<char> name) {
  OTA_TRY(VerifyMounted());
  FatDirectories directories(volume_);
  FatEntry entry;
  FatNameCollector names(name);
  do {
    OTA_TRY(directories.ReadEntry(directory, entry, &names));
  } while (entry.is_dot());
  FileInfo info;
  info.is_directory = entry.is_directory();
  info.is_read_only = entry.is_read_only();
  info.size_bytes = info.is_directory ? 0 : entry.size_bytes();
  info.modified_s = DecodeFatTime({LoadLe16(entry.bytes + 24), LoadLe16(entry.bytes + 22)});
  if (entry.slot_count != 0 && names.is_valid()) {
    if (names.is_too_long()) return Status::kBufferTooSmall;
    info.name = names.Finish();
    return info;
  }
  char text[kFatShortTextMax];
  const size_t length = FormatFatShortName(entry.bytes, text);
  if (length > name.size()) return Status::kBufferTooSmall;
  std::memcpy(name.data(), text, length);
  info.name = std::string_view(name.data(), length);
  return info;
}

Result<File> FatFileSystem::Open(std::string_view path) {
  OTA_TRY(VerifyMounted());
  FatDirectories directories(volume_);
  uint32_t parent = 0;
  std::string_view last;
  OTA_TRY(const FatEntry entry, directories.FindPath(path, parent, last));
  if (entry.is_directory()) return Status::kNotFound;
  File file;
  file.size_bytes = entry.size_bytes();
  file.synced_size_bytes = file.size_bytes;
  file.id = file.size_bytes == 0 ? 0 : entry.first_cluster(layout().kind);
  file.entry_offset = entry.offset;
  file.is_read_only = entry.is_read_only();
  if (file.size_bytes != 0 && !layout().IsCluster(file.id)) return Status::kCorrupted;
  return file;
}

Status FatFileSystem::FindNewPlace(std::string_view path, uint32_t& parent,
                                   std::string_view& last) {
  FatDirectories directories(volume_);
  const Result<FatEntry> existing = directories.FindPath(path, parent, last);
  if (existing.ok()) return Status::kAlreadyExists;
  if (existing.status() != Status::kNotFound || parent == FatVolume::kEnd) {
    return existing.status();
  }
  return Status::kOk;
}

uint32_t FatFileSystem::ClusterCount(uint32_t size_bytes) const {
  return size_bytes / layout().cluster_bytes + (size_bytes % layout().cluster_bytes != 0 ? 1 : 0);
}

Result<File> FatFileSystem::Create(std::string_view path, uint32_t capacity_bytes) {
  OTA_TRY(VerifyMounted());
  uint32_t parent = 0;
  std::string_view last;
  OTA_TRY(FindNewPlace(path, parent, last));
  if (capacity_bytes != 0) OTA_TRY(volume_.FindFreeRun(ClusterCount(capacity_bytes)).status());
  uint8_t bytes[kFatEntryBytes] = {};
  bytes[11] = kFatArchive;
  FillTimes(bytes, true);
  FatDirectories directories(volume_);
  OTA_TRY(const uint32_t entry_offset, directories.Insert(parent, last, bytes));
  File file;
  file.entry_offset = entry_offset;
  return file;
}

Result<File> FatFileSystem::CreateContiguous(std::string_view path, uint32_t size_bytes) {
  OTA_TRY(VerifyMounted());
  if (size_bytes == 0) return Status::kInvalidArgument;
  uint32_t parent = 0;
  std::string_view last;
  OTA_TRY(FindNewPlace(path, parent, last));
  const uint32_t clusters = ClusterCount(size_bytes);
  OTA_TRY(const uint32_t first, volume_.FindFreeRun(clusters));
  if (first == FatVolume::kFree) return Status::kStorageFull;
  OTA_TRY(volume_.TakeRun(first, clusters));
  OTA_TRY(volume_.Commit());
  uint8_t bytes[kFatEntryBytes] = {};
  bytes[11] = kFatArchive;
  FillTimes(bytes, true);
  StoreFirstCluster(bytes, first);
  StoreLe32(bytes + 28, size_bytes);
  FatDirectories directories(volume_);
  const Result<uint32_t> inserted = directories.Insert(parent, last, bytes);
  if (!inserted.ok()) OTA_TRY(volume_.FreeChain(first));
  OTA_TRY(volume_.WriteFsInfo());
  OTA_TRY(volume_.Commit());
  OTA_TRY(inserted.status());
  return Open(path);
}

Status FatFileSystem::SeekTo(File& file, uint32_t cluster_index) {
  if (file.cursor_at == 0 || cluster_index < file.cursor_index) {
    file.cursor_at = file.id;
    file.cursor_index = 0;
  }
  const uint32_t steps = cluster_index - file.cursor_index;
  if (steps > layout().cluster_count) return Status::kCorrupted;
  OTA_TRY(file.cursor_at, volume_.FollowChain(file.cursor_at, steps));
  file.cursor_index = cluster_index;
  return Status::kOk;
}

Result<uint32_t> FatFileSystem::ExtendFile(File& file, uint32_t wanted, uint32_t& offset) {
  const uint32_t cluster_bytes = layout().cluster_bytes;
  const uint32_t index = file.size_bytes / cluster_bytes;
  const uint32_t used = file.size_bytes % cluster_bytes;
  const bool is_reserved = used == 0 && file.cursor_at != 0 && file.cursor_index == index;
  if (used != 0) {
    OTA_TRY(SeekTo(file, index));
  } else if (!is_reserved) {
    if (index != 0) OTA_TRY(SeekTo(file, index - 1));
    OTA_TRY(file.cursor_at, volume_.Allocate(index == 0 ? 0 : file.cursor_at));
    file.cursor_index = index;
    if (index == 0) file.id = file.cursor_at;
  }
  offset = layout().ClusterOffset(file.cursor_at) + used;
  uint32_t room = cluster_bytes - used;
  while (room < wanted) {
    const Result<uint32_t> next = volume_.Allocate(file.cursor_at);
    if (next.status() == Status::kStorageFull) break;
    OTA_TRY(next.status());
    const bool is_adjacent = *next == file.cursor_at + 1;
    file.cursor_at = *next;
    ++file.cursor_index;
    if (!is_adjacent) break;
    room += cluster_bytes;
  }
  return std::min(room, wanted);
}

Status FatFileSystem::Append(File& file, ByteSpan bytes) {
  OTA_TRY(VerifyMounted());
  if (file.is_read_only) return Status::kNotSupported;
  if (!IsInBounds(file.size_bytes, bytes.size(), kFileBytesMax)) return Status::kStorageFull;
  while (!bytes.empty()) {
    uint32_t offset = 0;
    OTA_TRY(const uint32_t part, ExtendFile(file, static_cast<uint32_t>(bytes.size()), offset));
    OTA_TRY(volume_.Write(offset, bytes.first(part)));
    bytes = bytes.subspan(part);
    file.size_bytes += part;
  }
  return Status::kOk;
}

Status FatFileSystem::Sync(File& file) {
  OTA_TRY(VerifyMounted());
  OTA_TRY(volume_.Commit());
  if (file.size_bytes == file.synced_size_bytes) return Status::kOk;
  uint8_t entry[kFatEntryBytes];
  OTA_TRY(volume_.Read(file.entry_offset, entry));
  if (file.synced_size_bytes == 0) {
    // The chain first and its length afterwards: a torn sector cannot pair a length with a chain
    // that is not this file's.
    StoreFirstCluster(entry, file.id);
    OTA_TRY(volume_.Write(file.entry_offset, entry));
    OTA_TRY(volume_.Commit());
  }
  FillTimes(entry, false);
  StoreLe32(entry + 28, file.size_bytes);
  OTA_TRY(volume_.Write(file.entry_offset, entry));
  OTA_TRY(volume_.WriteFsInfo());
  OTA_TRY(volume_.Commit());
  file.synced_size_bytes = file.size_bytes;
  return Status::kOk;
}

Status FatFileSystem::Read(File& file, uint32_t offset, MutableByteSpan target) {
  OTA_TRY(VerifyMounted());
  if (!IsInBounds(offset, target.size(), file.size_bytes)) return Status::kOutOfRange;
  const uint32_t cluster_bytes = layout().cluster_bytes;
  while (!target.empty()) {
    OTA_TRY(SeekTo(file, offset / cluster_bytes));
    const uint32_t first = layout().ClusterOffset(file.cursor_at) + offset % cluster_bytes;
    size_t run = cluster_bytes - offset % cluster_bytes;
    while (run < target.size()) {
      OTA_TRY(const uint32_t next, volume_.FollowChain(file.cursor_at, 1));
      const bool is_adjacent = next == file.cursor_at + 1;
      file.cursor_at = next;
      ++file.cursor_index;
      if (!is_adjacent) break;
      run += cluster_bytes;
    }
    run = std::min(run, target.size());
    OTA_TRY(volume_.Read(first, target.first(run)));
    target = target.subspan(run);
    offset += static_cast<uint32_t>(run);
  }
  return Status::kOk;
}

Result<size_t> FatFileSystem::ReadExtents(File& file, uint32_t offset, std::span<Extent> extents) {
  OTA_TRY(VerifyMounted());
  OTA_TRY(volume_.Commit());
  const uint32_t cluster_bytes = layout().cluster_bytes;
  if (offset > file.size_bytes || offset % cluster_bytes != 0) return Status::kInvalidArgument;
  size_t count = 0;
  uint32_t left = file.size_bytes - offset;
  while (left != 0) {
    OTA_TRY(SeekTo(file, (file.size_bytes - left) / cluster_bytes));
    const uint32_t at = layout().ClusterOffset(file.cursor_at);
    const uint32_t part = std::min(left, cluster_bytes);
    const bool is_adjacent =
        count != 0 && extents[count - 1].offset + extents[count - 1].piece_bytes == at;
    if (is_adjacent) {
      extents[count - 1].piece_bytes += part;
      extents[count - 1].stride_bytes += part;
    } else {
      if (count == extents.size()) break;
      extents[count++] = {at, part, 1, part};
    }
    left -= part;
  }
  return count;
}

Status FatFileSystem::Delete(std::string_view path) {
  OTA_TRY(VerifyMounted());
  FatDirectories directories(volume_);
  uint32_t parent = 0;
  std::string_view last;
  OTA_TRY(const FatEntry entry, directories.FindPath(path, parent, last));
  if (entry.is_read_only()) return Status::kNotSupported;
  const uint32_t first = entry.first_cluster(layout().kind);
  if (entry.is_directory()) {
    if (!layout().IsCluster(first)) return Status::kCorrupted;
    OTA_TRY(const bool is_empty, directories.ReadIsEmpty(first));
    if (!is_empty) return Status::kNotSupported;
  }
  OTA_TRY(directories.Remove(entry));
  OTA_TRY(volume_.FreeChain(first));
  OTA_TRY(volume_.WriteFsInfo());
  return volume_.Commit();
}

Status FatFileSystem::Rename(std::string_view source, std::string_view target) {
  OTA_TRY(VerifyMounted());
  FatDirectories directories(volume_);
  uint32_t source_parent = 0;
  uint32_t target_parent = 0;
  std::string_view last;
  OTA_TRY(FatEntry entry, directories.FindPath(source, source_parent, last));
  OTA_TRY(FindNewPlace(target, target_parent, last));
  const bool moves = source_parent != target_parent;
  if (entry.is_read_only() || (moves && entry.is_directory())) return Status::kNotSupported;
  uint8_t bytes[kFatEntryBytes];
  std::memcpy(bytes, entry.bytes, sizeof(bytes));
  bytes[12] = 0;  // its marks for lower case belong to the old name
  OTA_TRY(directories.Insert(target_parent, last, bytes));
  return directories.Remove(entry);
}

Status FatFileSystem::CreateDirectory(std::string_view path) {
  OTA_TRY(VerifyMounted());
  uint32_t parent = 0;
  std::string_view last;
  OTA_TRY(FindNewPlace(path, parent, last));
  OTA_TRY(const uint32_t cluster, volume_.Allocate(0));
  const uint32_t offset = layout().ClusterOffset(cluster);
  OTA_TRY(volume_.Fill(offset, layout().cluster_bytes, 0));
  uint8_t bytes[kFatEntryBytes] = {};
  FillTimes(bytes, true);
  FillDotEntry(bytes, ".", cluster);
  OTA_TRY(volume_.Write(offset, bytes));
  FillDotEntry(bytes, "..", parent);
  OTA_TRY(volume_.Write(offset + kFatEntryBytes, bytes));
  OTA_TRY(volume_.Commit());
  StoreFirstCluster(bytes, cluster);
  FatDirectories directories(volume_);
  const Result<uint32_t> inserted = directories.Insert(parent, last, bytes);
  if (!inserted.ok()) OTA_TRY(volume_.FreeChain(cluster));
  OTA_TRY(volume_.WriteFsInfo());
  OTA_TRY(volume_.Commit());
  return inserted.status();
}

Result<VolumeSpace> FatFileSystem::ReadSpace() {
  OTA_TRY(VerifyMounted());
  OTA_TRY(const uint32_t free_count, volume_.CountFree());
  VolumeSpace space;
  space.total_bytes = layout().cluster_count * layout().cluster_bytes;
  space.free_bytes = free_count * layout().cluster_bytes;
  return space;
}

}  // namespace ota::storage
