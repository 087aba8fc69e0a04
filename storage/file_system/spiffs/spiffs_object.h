// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/spiffs/spiffs_volume.h"

// What an object's index pages hold, for the file system and its check.

namespace ota::storage {

inline constexpr uint32_t kSpiffsSizeOffset = 8;
inline constexpr uint32_t kSpiffsNameOffset = 13;

/// What the first index page of an object says.
struct SpiffsObjectHeader {
  uint32_t id;  ///< without the index bit
  uint32_t size_bytes;
};

Result<SpiffsObjectHeader> ReadSpiffsObjectHeader(SpiffsVolume& volume, uint32_t page);

/// The page number in an entry of an index page, whatever it is.
Result<uint32_t> ReadSpiffsEntry(SpiffsVolume& volume, uint32_t index_page, uint32_t index_span,
                                 uint32_t entry);

/// An empty index page, complete and without entries; the first of an object has size 0.
void FillSpiffsIndexPage(MutableByteSpan page, uint32_t id, uint32_t index_span);

/// Deletes all pages of an object; its header is marked first and deleted last.
Status RemoveSpiffsObject(SpiffsVolume& volume, uint32_t id, uint32_t header_page);

}  // namespace ota::storage
