// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/spiffs/spiffs_file_system.h"

#include <algorithm>
#include <cstring>

#include "storage/file_system/spiffs/spiffs_check.h"
#include "storage/file_system/spiffs/spiffs_object.h"

namespace ota::storage {
namespace {

constexpr uint32_t kNamesMax = 256;
constexpr uint8_t kTypeFile = 1;
// What one step of Append takes at most: a data page, an index page, and copies of both.
constexpr uint32_t kAppendPages = 4;

}  // namespace

Status SpiffsFileSystem::VerifyName(std::string_view name) const {
  const bool is_valid = !name.empty() && name.size() < volume_.options().name_bytes &&
                        name.find('\0') == std::string_view::npos;
  return is_valid ? Status::kOk : Status::kNameInvalid;
}

Result<SpiffsFileSystem::Object> SpiffsFileSystem::ReadObject(uint32_t page, std::span<char> name) {
  OTA_TRY(const SpiffsObjectHeader header, ReadSpiffsObjectHeader(volume_, page));
  const uint32_t name_bytes = volume_.options().name_bytes;
  uint8_t raw[kNamesMax];
  OTA_TRY(
      volume_.Read(volume_.PageOffset(page) + kSpiffsNameOffset, MutableByteSpan(raw, name_bytes)));
  size_t length = 0;
  while (length < name_bytes && raw[length] != 0 && raw[length] != 0xFF) ++length;
  if (length > name.size()) return Status::kBufferTooSmall;
  std::memcpy(name.data(), raw, length);
  Object object{page, header.id, header.size_bytes, 0, length};
  if (volume_.options().meta_bytes >= 4) {
    uint8_t meta[4];
    OTA_TRY(volume_.Read(volume_.PageOffset(page) + kSpiffsNameOffset + name_bytes, meta));
    object.modified_s = LoadLe32(meta) == 0xFFFFFFFF ? 0 : LoadLe32(meta);
  }
  return object;
}

Result<SpiffsFileSystem::Object> SpiffsFileSystem::FindObject(std::string_view name) {
  OTA_TRY(VerifyName(name));
  SpiffsVolume::Cursor cursor;
  for (;;) {
    uint32_t page = 0;
    uint32_t id = 0;
    const Status status = volume_.ReadNext(cursor, page, id);
    if (status == Status::kEndOfInput) return Status::kNotFound;
    OTA_TRY(status);
    if ((id & kSpiffsIndexBit) == 0) continue;
    OTA_TRY(const bool is_header, volume_.ReadIsPageOf(page, id, 0));
    if (!is_header) continue;
    char found[kNamesMax];
    OTA_TRY(const Object object, ReadObject(page, found));
    if (std::string_view(found, object.name_length) == name) return object;
  }
}

Result<Directory> SpiffsFileSystem::OpenDirectory(std::string_view path) {
  OTA_TRY(VerifyMounted());
  if (!path.empty() && path != "/") return Status::kNotFound;
  return Directory{};
}

Result<FileInfo> SpiffsFileSystem::ReadDirectory(Directory& directory, std::span<char> name) {
  OTA_TRY(VerifyMounted());
  SpiffsVolume::Cursor cursor;
  cursor.block = directory.cluster;
  cursor.entry = directory.index;
  for (;;) {
    uint32_t page = 0;
    uint32_t id = 0;
    OTA_TRY(volume_.ReadNext(cursor, page, id));
    directory.cluster = cursor.block;
    directory.index = cursor.entry;
    if ((id & kSpiffsIndexBit) == 0) continue;
    OTA_TRY(const bool is_header, volume_.ReadIsPageOf(page, id, 0));
    if (!is_header) continue;
    OTA_TRY(const Object object, ReadObject(page, name));
    FileInfo info;
    info.name = std::string_view(name.data(), object.name_length);
    info.size_bytes = object.size_bytes;
    info.modified_s = object.modified_s;
    return info;
  }
}

Result<File> SpiffsFileSystem::Open(std::string_view path) {
  OTA_TRY(VerifyMounted());
  OTA_TRY(const Object object, FindObject(path));
  const uint32_t pages = volume_.block_count() * volume_.usable_pages_per_block();
  if (object.size_bytes > pages * volume_.data_bytes()) return Status::kCorrupted;
  File file;
  file.id = object.id;
  file.entry_offset = object.page;
  file.size_bytes = object.size_bytes;
  file.synced_size_bytes = object.size_bytes;
  return file;
}

// Marks the ids in use, a window of them at a time, in the page buffer.
Result<uint32_t> SpiffsFileSystem::FindFreeId() {
  const MutableByteSpan bitmap = volume_.buffer();
  const uint32_t window = static_cast<uint32_t>(bitmap.size()) * 8;
  for (uint32_t first = 1; first <= kSpiffsIdMax; first += window) {
    std::fill(bitmap.begin(), bitmap.end(), uint8_t{0});
    SpiffsVolume::Cursor cursor;
    uint32_t page = 0;
    uint32_t id = 0;
    Status status = volume_.ReadNext(cursor, page, id);
    for (; IsOk(status); status = volume_.ReadNext(cursor, page, id)) {
      const uint32_t index = (id & ~kSpiffsIndexBit) - first;
      if (index < window) bitmap[index / 8] |= static_cast<uint8_t>(1u << (index % 8));
    }
    if (status != Status::kEndOfInput) return status;
    for (uint32_t i = 0; i < window && first + i <= kSpiffsIdMax; ++i) {
      if ((bitmap[i / 8] & (1u << (i % 8))) == 0) return first + i;
    }
  }
  return Status::kStorageFull;
}

Result<File> SpiffsFileSystem::Create(std::string_view path, uint32_t capacity_bytes) {
  OTA_TRY(VerifyMounted());
  const Status found = FindObject(path).status();
  if (IsOk(found)) return Status::kAlreadyExists;
  if (found != Status::kNotFound) return found;
  OTA_TRY(const VolumeSpace space, ReadSpace());
  if (capacity_bytes > space.free_bytes) return Status::kStorageFull;
  OTA_TRY(volume_.Reserve(kAppendPages));
  OTA_TRY(const uint32_t id, FindFreeId());

  const MutableByteSpan page = volume_.buffer();
  FillSpiffsIndexPage(page, id, 0);
  page[12] = kTypeFile;
  const uint32_t name_bytes = volume_.options().name_bytes;
  std::memset(page.data() + kSpiffsNameOffset, 0, name_bytes);
  std::memcpy(page.data() + kSpiffsNameOffset, path.data(), path.size());
  if (time_s() != 0 && volume_.options().meta_bytes >= 4) {
    StoreLe32(page.data() + kSpiffsNameOffset + name_bytes, time_s());
  }
  OTA_TRY(const uint32_t header, volume_.ReplaceIndexPage(kSpiffsNoPage));
  File file;
  file.id = id;
  file.entry_offset = header;
  return file;
}

Result<File> SpiffsFileSystem::CreateContiguous(std::string_view path, uint32_t size_bytes) {
  (void)path, (void)size_bytes;  // each page has a header of its own
  return Status::kNotSupported;
}

void SpiffsFileSystem::SetIndexPage(File& file, uint32_t index_span, uint32_t page) {
  if (index_span == 0) {
    file.entry_offset = page;
    return;
  }
  file.cursor_index = index_span;
  file.cursor_at = page;
}

Result<uint32_t> SpiffsFileSystem::FindIndexPage(File& file, uint32_t index_span) {
  const uint32_t id = file.id | kSpiffsIndexBit;
  const bool is_known = index_span == 0 || index_span == file.cursor_index;
  const uint32_t known = index_span == 0 ? file.entry_offset : file.cursor_at;
  if (is_known) {
    OTA_TRY(const bool is_it, volume_.ReadIsPageOf(known, id, index_span));
    if (is_it) return known;
  }
  OTA_TRY(const uint32_t page, volume_.FindPage(id, index_span));
  SetIndexPage(file, index_span, page);
  return page;
}

Result<uint32_t> SpiffsFileSystem::FindDataPage(File& file, uint32_t data_span) {
  uint32_t index_span = 0;
  uint32_t entry = 0;
  volume_.LocateEntry(data_span, index_span, entry);
  const Result<uint32_t> index_page = FindIndexPage(file, index_span);
  if (index_page.status() == Status::kNotFound) return Status::kCorrupted;
  OTA_TRY(index_page.status());
  OTA_TRY(const uint32_t page, ReadSpiffsEntry(volume_, *index_page, index_span, entry));
  OTA_TRY(const bool is_it, volume_.ReadIsPageOf(page, file.id, data_span));
  return is_it ? Result<uint32_t>(page) : Status::kCorrupted;
}

Status SpiffsFileSystem::Append(File& file, ByteSpan bytes) {
  OTA_TRY(VerifyMounted());
  while (!bytes.empty()) {
    OTA_TRY(volume_.Reserve(kAppendPages));
    const uint32_t used = file.size_bytes % volume_.data_bytes();
    const ByteSpan part = bytes.first(std::min<size_t>(bytes.size(), volume_.data_bytes() - used));
    OTA_TRY(used != 0 ? AppendToTail(file, part) : AppendPage(file, part));
    file.size_bytes += static_cast<uint32_t>(part.size());
    bytes = bytes.subspan(part.size());
  }
  return Status::kOk;
}

Status SpiffsFileSystem::AppendToTail(File& file, ByteSpan bytes) {
  const uint32_t used = file.size_bytes % volume_.data_bytes();
  OTA_TRY(const uint32_t page, FindDataPage(file, file.size_bytes / volume_.data_bytes()));
  const uint32_t begin = volume_.PageOffset(page) + kSpiffsPageHeaderBytes + used;
  for (uint32_t at = 0; at < volume_.data_bytes() - used; at += 32) {
    uint8_t chunk[32];
    const uint32_t count = std::min<uint32_t>(sizeof(chunk), volume_.data_bytes() - used - at);
    OTA_TRY(volume_.Read(begin + at, MutableByteSpan(chunk, count)));
    const bool is_erased =
        std::all_of(chunk, chunk + count, [](uint8_t byte) { return byte == 0xFF; });
    if (!is_erased) return RewriteTail(file, page, bytes);
  }
  return volume_.Program(begin, bytes);
}

// The rest of the last page holds what a cut had left of an earlier append.
Status SpiffsFileSystem::RewriteTail(File& file, uint32_t old_page, ByteSpan bytes) {
  const uint32_t data_span = file.size_bytes / volume_.data_bytes();
  const uint32_t used = file.size_bytes % volume_.data_bytes();
  OTA_TRY(const uint32_t page, volume_.Allocate(file.id, SpiffsVolume::PageUse::kNewData));
  OTA_TRY(volume_.LoadPage(old_page));
  const uint32_t offset = volume_.PageOffset(page);
  OTA_TRY(volume_.Program(offset, volume_.buffer().first(kSpiffsPageHeaderBytes + used)));
  OTA_TRY(volume_.Program(offset + kSpiffsPageHeaderBytes + used, bytes));
  uint32_t index_span = 0;
  uint32_t entry = 0;
  volume_.LocateEntry(data_span, index_span, entry);
  OTA_TRY(const uint32_t index_page, FindIndexPage(file, index_span));
  OTA_TRY(volume_.LoadPage(index_page));
  volume_.SetBufferedEntry(index_span, entry, page);
  OTA_TRY(const uint32_t replaced, volume_.ReplaceIndexPage(index_page));
  SetIndexPage(file, index_span, replaced);
  return volume_.DeletePage(old_page);
}

// The index page that has the entry, with all entries from there on free.
Result<uint32_t> SpiffsFileSystem::PrepareEntry(File& file, uint32_t index_span, uint32_t entry) {
  const Result<uint32_t> found = FindIndexPage(file, index_span);
  if (found.status() == Status::kNotFound && index_span != 0) {
    FillSpiffsIndexPage(volume_.buffer(), file.id, index_span);
    OTA_TRY(const uint32_t added, volume_.ReplaceIndexPage(kSpiffsNoPage));
    SetIndexPage(file, index_span, added);
    return added;
  }
  OTA_TRY(found.status());
  OTA_TRY(const uint32_t value, ReadSpiffsEntry(volume_, *found, index_span, entry));
  if (value == kSpiffsNoPage) return *found;
  OTA_TRY(volume_.LoadPage(*found));
  for (uint32_t i = entry; i < volume_.EntryCount(index_span); ++i) {
    volume_.SetBufferedEntry(index_span, i, kSpiffsNoPage);
  }
  OTA_TRY(const uint32_t replaced, volume_.ReplaceIndexPage(*found));
  SetIndexPage(file, index_span, replaced);
  return replaced;
}

Status SpiffsFileSystem::AppendPage(File& file, ByteSpan bytes) {
  const uint32_t data_span = file.size_bytes / volume_.data_bytes();
  uint32_t index_span = 0;
  uint32_t entry = 0;
  volume_.LocateEntry(data_span, index_span, entry);
  OTA_TRY(const uint32_t index_page, PrepareEntry(file, index_span, entry));
  OTA_TRY(const uint32_t page, volume_.Allocate(file.id, SpiffsVolume::PageUse::kNewData));
  const uint32_t offset = volume_.PageOffset(page);
  OTA_TRY(volume_.Program(offset + kSpiffsPageHeaderBytes, bytes));
  uint8_t header[kSpiffsPageHeaderBytes];
  StoreLe16(header, static_cast<uint16_t>(file.id));
  StoreLe16(header + 2, static_cast<uint16_t>(data_span));
  header[4] = static_cast<uint8_t>(~(kSpiffsUsed | kSpiffsFinal));
  OTA_TRY(volume_.Program(offset, header));
  uint8_t raw[2];
  StoreLe16(raw, static_cast<uint16_t>(page));
  return volume_.Program(
      volume_.PageOffset(index_page) + volume_.EntriesOffset(index_span) + 2 * entry, raw);
}

Status SpiffsFileSystem::Sync(File& file) {
  OTA_TRY(VerifyMounted());
  OTA_TRY(volume_.SyncDevice());
  if (file.size_bytes == file.synced_size_bytes) return Status::kOk;
  OTA_TRY(volume_.Reserve(1));
  OTA_TRY(const uint32_t old_page, FindIndexPage(file, 0));
  OTA_TRY(volume_.LoadPage(old_page));
  StoreLe32(volume_.buffer().data() + kSpiffsSizeOffset, file.size_bytes);
  if (time_s() != 0 && volume_.options().meta_bytes >= 4) {
    StoreLe32(volume_.buffer().data() + kSpiffsNameOffset + volume_.options().name_bytes, time_s());
  }
  OTA_TRY(file.entry_offset, volume_.ReplaceIndexPage(old_page));
  file.synced_size_bytes = file.size_bytes;
  return Status::kOk;
}

Status SpiffsFileSystem::Read(File& file, uint32_t offset, MutableByteSpan target) {
  OTA_TRY(VerifyMounted());
  if (!IsInBounds(offset, target.size(), file.size_bytes)) return Status::kOutOfRange;
  while (!target.empty()) {
    const uint32_t skip = offset % volume_.data_bytes();
    const size_t part = std::min<size_t>(target.size(), volume_.data_bytes() - skip);
    OTA_TRY(const uint32_t page, FindDataPage(file, offset / volume_.data_bytes()));
    OTA_TRY(
        volume_.Read(volume_.PageOffset(page) + kSpiffsPageHeaderBytes + skip, target.first(part)));
    target = target.subspan(part);
    offset += static_cast<uint32_t>(part);
  }
  return Status::kOk;
}

Result<size_t> SpiffsFileSystem::ReadExtents(File& file, uint32_t offset,
                                             std::span<Extent> extents) {
  OTA_TRY(VerifyMounted());
  const uint32_t data_bytes = volume_.data_bytes();
  if (offset > file.size_bytes || offset % data_bytes != 0) return Status::kInvalidArgument;
  size_t count = 0;
  uint32_t next_page = kSpiffsNoPage;
  for (uint32_t at = offset; at < file.size_bytes; at += data_bytes) {
    OTA_TRY(const uint32_t page, FindDataPage(file, at / data_bytes));
    if (count != 0 && page == next_page) {
      ++extents[count - 1].piece_count;
    } else {
      if (count == extents.size()) break;
      extents[count++] = {volume_.PageOffset(page) + kSpiffsPageHeaderBytes, data_bytes, 1,
                          volume_.options().page_bytes};
    }
    next_page = page + 1;
  }
  return count;
}

Status SpiffsFileSystem::Delete(std::string_view path) {
  OTA_TRY(VerifyMounted());
  OTA_TRY(volume_.FinishErase());
  OTA_TRY(const Object object, FindObject(path));
  return RemoveSpiffsObject(volume_, object.id, object.page);
}

Status SpiffsFileSystem::Rename(std::string_view source, std::string_view target) {
  OTA_TRY(VerifyMounted());
  OTA_TRY(VerifyName(target));
  OTA_TRY(FindObject(source).status());
  const Status found = FindObject(target).status();
  if (found != Status::kNotFound) return IsOk(found) ? Status::kAlreadyExists : found;
  OTA_TRY(volume_.Reserve(1));
  OTA_TRY(const Object object, FindObject(source));  // it may have moved
  OTA_TRY(volume_.LoadPage(object.page));
  uint8_t* const name = volume_.buffer().data() + kSpiffsNameOffset;
  std::memset(name, 0, volume_.options().name_bytes);
  std::memcpy(name, target.data(), target.size());
  return volume_.ReplaceIndexPage(object.page).status();
}

Status SpiffsFileSystem::CreateDirectory(std::string_view path) {
  (void)path;  // the format has none
  return Status::kNotSupported;
}

uint32_t SpiffsFileSystem::ComputeFileBytes(uint32_t page_count) const {
  // The header, and what Append must find free once more when the last page is taken.
  const uint32_t taken = volume_.reserved_page_count() + 1 + kAppendPages;
  if (page_count <= taken) return 0;
  const uint32_t pages = page_count - taken;
  const uint32_t in_header = volume_.EntryCount(0);
  if (pages <= in_header) return pages * volume_.data_bytes();
  const uint32_t rest = pages - in_header;
  const uint32_t per_index = volume_.EntryCount(1) + 1;
  return (pages - (rest + per_index - 1) / per_index) * volume_.data_bytes();
}

Result<VolumeSpace> SpiffsFileSystem::ReadSpace() {
  OTA_TRY(VerifyMounted());
  VolumeSpace space;
  space.total_bytes = ComputeFileBytes(volume_.block_count() * volume_.usable_pages_per_block());
  space.free_bytes = ComputeFileBytes(volume_.free_page_count() + volume_.deleted_page_count());
  return space;
}

Result<CheckReport> SpiffsFileSystem::Check(CheckMode mode, MutableByteSpan work) {
  OTA_TRY(VerifyMounted());
  if (work.size() < kCheckWorkBytesMin) return Status::kBufferTooSmall;
  return SpiffsChecker(volume_, mode).Run();
}

}  // namespace ota::storage
