// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/spiffs/spiffs_object.h"

#include <cstring>

namespace ota::storage {
namespace {

// Of an object to which nothing was ever appended.
constexpr uint32_t kSizeNone = 0xFFFFFFFF;

}  // namespace

Result<SpiffsObjectHeader> ReadSpiffsObjectHeader(SpiffsVolume& volume, uint32_t page) {
  uint8_t raw[kSpiffsNameOffset];
  OTA_TRY(volume.Read(volume.PageOffset(page), raw));
  const uint32_t size_bytes = LoadLe32(raw + kSpiffsSizeOffset);
  return SpiffsObjectHeader{LoadLe16(raw) & ~kSpiffsIndexBit,
                            size_bytes == kSizeNone ? 0 : size_bytes};
}

Result<uint32_t> ReadSpiffsEntry(SpiffsVolume& volume, uint32_t index_page, uint32_t index_span,
                                 uint32_t entry) {
  uint8_t raw[2];
  OTA_TRY(volume.Read(volume.PageOffset(index_page) + volume.EntriesOffset(index_span) + 2 * entry,
                      raw));
  return uint32_t{LoadLe16(raw)};
}

void FillSpiffsIndexPage(MutableByteSpan page, uint32_t id, uint32_t index_span) {
  std::memset(page.data(), 0xFF, page.size());
  StoreLe16(page.data(), static_cast<uint16_t>(id | kSpiffsIndexBit));
  StoreLe16(page.data() + 2, static_cast<uint16_t>(index_span));
  page[4] = static_cast<uint8_t>(~(kSpiffsUsed | kSpiffsFinal | kSpiffsIndex));
}

Status RemoveSpiffsObject(SpiffsVolume& volume, uint32_t id, uint32_t header_page) {
  const uint32_t at = volume.PageOffset(header_page) + 4;
  uint8_t flags = 0;
  OTA_TRY(volume.Read(at, MutableByteSpan(&flags, 1)));
  flags = static_cast<uint8_t>(flags & ~kSpiffsNotRemoved);
  OTA_TRY(volume.Program(at, ByteSpan(&flags, 1)));
  OTA_TRY(volume.SyncDevice());
  SpiffsVolume::Cursor cursor;
  for (;;) {
    uint32_t page = 0;
    uint32_t owner = 0;
    const Status status = volume.ReadNext(cursor, page, owner);
    if (status == Status::kEndOfInput) break;
    OTA_TRY(status);
    if ((owner & ~kSpiffsIndexBit) != id || page == header_page) continue;
    OTA_TRY(const SpiffsPageHeader header, volume.ReadHeader(page));
    if (header.id == owner) OTA_TRY(volume.DeletePage(page));
  }
  return volume.DeletePage(header_page);
}

}  // namespace ota::storage
