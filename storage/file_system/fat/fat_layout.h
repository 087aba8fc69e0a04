// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

// Where the parts of a FAT volume lie, from its boot sector and back. docs/formats/fat.md has every
// byte. A boot sector is foreign: a layout that comes out of DecodeBootSector lies within the
// volume in all its parts.

namespace ota::storage {

enum class FatKind : uint8_t { kFat12, kFat16, kFat32 };

inline constexpr uint32_t kFatSectorBytesMin = 512;
inline constexpr uint32_t kFatSectorBytesMax = 4096;
inline constexpr uint32_t kFatEntryBytes = 32;

/// Offsets are from the start of the block device, in bytes.
struct FatLayout {
  FatKind kind;
  uint32_t sector_bytes;
  uint32_t cluster_bytes;
  uint32_t volume_offset;
  uint32_t volume_bytes;
  uint32_t table_offset;      ///< the first copy of the allocation table
  uint32_t table_bytes;       ///< of one copy
  uint32_t table_count;       ///< 1 or 2
  uint32_t root_offset;       ///< FAT12 and FAT16: the root directory of fixed size
  uint32_t root_entry_count;  ///< FAT32: 0
  uint32_t root_cluster;      ///< FAT32; else 0
  uint32_t info_offset;       ///< FAT32: the FSInfo sector; 0 when there is none
  uint32_t data_offset;       ///< of cluster 2
  uint32_t cluster_count;     ///< clusters are 2 to cluster_count + 1

  uint32_t ClusterOffset(uint32_t cluster) const {
    return data_offset + (cluster - 2) * cluster_bytes;
  }
  bool IsCluster(uint32_t value) const { return value >= 2 && value - 2 < cluster_count; }
};

/// What an empty volume is to be like.
struct FatFormatOptions {
  enum class Kind : uint8_t { kAutomatic, kFat12, kFat16, kFat32 };
  Kind kind = Kind::kAutomatic;
  uint32_t sector_bytes = 512;
  uint32_t cluster_bytes = 0;   ///< 0: by the volume's size
  bool is_partitioned = false;  ///< behind a master boot record, as cards are sold; else without
  uint32_t root_entry_count = 512;  ///< FAT12 and FAT16
  uint32_t serial = 0x07A7A117;
};

/// Reads a boot sector that lies at `volume_offset` of a device of `device_bytes`.
/// `sector` has at least 512 bytes. kCorrupted: no boot sector of a FAT volume, or one that says
/// more than the device holds. kNotSupported: exFAT, or more than two copies of the table.
Result<FatLayout> DecodeBootSector(ByteSpan sector, uint32_t volume_offset, uint32_t device_bytes);

/// Offset of the first FAT partition of a master boot record whose entry is not below `first`
/// (0 to 3); `first` becomes the entry after it. kCorrupted: there is none.
Result<uint32_t> FindFatPartition(ByteSpan sector, uint32_t& first);

/// Plans an empty volume of `device_bytes`. kNotSupported: no FAT of the wanted kind has that size.
Result<FatLayout> PlanFatLayout(const FatFormatOptions& options, uint32_t device_bytes);

/// Fills `sector` (all of it) with the boot sector of the layout.
void EncodeBootSector(const FatLayout& layout, const FatFormatOptions& options,
                      MutableByteSpan sector);

/// Fills `sector` with a master boot record whose one partition is the volume.
void EncodeMasterBootRecord(const FatLayout& layout, MutableByteSpan sector);

/// Fills `sector` with an FSInfo sector.
void EncodeFsInfo(uint32_t free_cluster_count, uint32_t next_cluster, MutableByteSpan sector);

/// The count of free clusters that an FSInfo sector claims; kFatFreeUnknown when it does not.
inline constexpr uint32_t kFatFreeUnknown = 0xFFFFFFFF;
uint32_t DecodeFsInfo(ByteSpan sector);

}  // namespace ota::storage
