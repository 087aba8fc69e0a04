// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_layout.h"

#include <algorithm>
#include <cstring>

#include "base/units.h"

namespace ota::storage {
namespace {

constexpr uint32_t kFat12ClustersMax = 4084;
constexpr uint32_t kFat16ClustersMax = 65524;
constexpr uint32_t kFat32ClustersMax = 0x0FFFFFF4;
// Other tools draw the limits of the kinds differently by up to this many clusters.
constexpr uint32_t kLimitMargin = 16;
constexpr uint32_t kFat32ReservedSectors = 32;
constexpr uint32_t kFsInfoSector = 1;
constexpr uint32_t kBackupSector = 6;
constexpr uint32_t kPartitionAlignmentBytes = KiB(64);
constexpr uint8_t kMediaFixed = 0xF8;

constexpr bool IsPowerOfTwo(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

bool HasBootSignature(ByteSpan sector) { return sector[510] == 0x55 && sector[511] == 0xAA; }

uint32_t TableBytesFor(FatKind kind, uint32_t cluster_count) {
  const uint32_t entries = cluster_count + 2;
  if (kind == FatKind::kFat12) return entries + (entries + 1) / 2;
  return kind == FatKind::kFat16 ? entries * 2 : entries * 4;
}

FatKind KindOf(uint32_t table_sectors_16, uint32_t cluster_count) {
  if (table_sectors_16 == 0) return FatKind::kFat32;
  return cluster_count <= kFat12ClustersMax ? FatKind::kFat12 : FatKind::kFat16;
}

struct BootFields {
  uint32_t sector_bytes;
  uint32_t sectors_per_cluster;
  uint32_t reserved_sectors;
  uint32_t table_count;
  uint32_t root_entry_count;
  uint64_t total_sectors;
  uint32_t table_sectors;
};

BootFields ReadBootFields(ByteSpan sector) {
  const uint8_t* const at = sector.data();
  BootFields fields{};
  fields.sector_bytes = LoadLe16(at + 11);
  fields.sectors_per_cluster = at[13];
  fields.reserved_sectors = LoadLe16(at + 14);
  fields.table_count = at[16];
  fields.root_entry_count = LoadLe16(at + 17);
  const uint32_t total_16 = LoadLe16(at + 19);
  fields.total_sectors = total_16 != 0 ? total_16 : LoadLe32(at + 32);
  const uint32_t table_16 = LoadLe16(at + 22);
  fields.table_sectors = table_16 != 0 ? table_16 : LoadLe32(at + 36);
  return fields;
}

Status VerifyBootFields(const BootFields& fields) {
  if (!IsPowerOfTwo(fields.sector_bytes) || fields.sector_bytes < kFatSectorBytesMin ||
      fields.sector_bytes > kFatSectorBytesMax) {
    return Status::kCorrupted;
  }
  if (!IsPowerOfTwo(fields.sectors_per_cluster) || fields.reserved_sectors == 0 ||
      fields.table_count == 0 || fields.table_sectors == 0) {
    return Status::kCorrupted;
  }
  return fields.table_count > 2 ? Status::kNotSupported : Status::kOk;
}

// Sectors per cluster that fit the kind, smallest first; 0 when none does.
uint32_t ChooseSectorsPerCluster(FatKind kind, uint32_t total_sectors, uint32_t first) {
  const uint32_t most = kind == FatKind::kFat12   ? kFat12ClustersMax - kLimitMargin
                        : kind == FatKind::kFat16 ? kFat16ClustersMax - kLimitMargin
                                                  : kFat32ClustersMax;
  for (uint32_t sectors = first; sectors <= 128; sectors *= 2) {
    if (total_sectors / sectors <= most) return sectors;
  }
  return 0;
}

// The sizes that the usual tools choose for cards of that size.
uint32_t PreferredSectorsPerCluster(FatKind kind, uint32_t volume_bytes) {
  if (kind == FatKind::kFat32) return volume_bytes <= MiB(260) ? 1 : 8;
  if (kind == FatKind::kFat12) return 1;
  return volume_bytes <= MiB(16) ? 2 : 4;
}

FatKind PreferredKind(FatFormatOptions::Kind wanted, uint32_t volume_bytes) {
  if (wanted == FatFormatOptions::Kind::kFat12) return FatKind::kFat12;
  if (wanted == FatFormatOptions::Kind::kFat16) return FatKind::kFat16;
  if (wanted == FatFormatOptions::Kind::kFat32) return FatKind::kFat32;
  if (volume_bytes <= MiB(8)) return FatKind::kFat12;
  return volume_bytes <= MiB(512) ? FatKind::kFat16 : FatKind::kFat32;
}

bool IsClusterCountOfKind(FatKind kind, uint32_t count) {
  if (kind == FatKind::kFat12) return count >= 1 && count <= kFat12ClustersMax;
  if (kind == FatKind::kFat16) return count > kFat12ClustersMax && count <= kFat16ClustersMax;
  return count > kFat16ClustersMax && count <= kFat32ClustersMax;
}

// Sizes the table for the clusters that are left when the table has that size: grows it until it
// holds, which takes a few rounds.
void FitTable(FatLayout& layout, uint32_t reserved_bytes) {
  const uint32_t root_bytes = layout.root_entry_count * kFatEntryBytes;
  layout.table_offset = layout.volume_offset + reserved_bytes;
  layout.table_bytes = layout.sector_bytes;
  for (;;) {
    const uint64_t used = uint64_t{reserved_bytes} + uint64_t{2} * layout.table_bytes + root_bytes;
    layout.cluster_count =
        used >= layout.volume_bytes
            ? 0
            : static_cast<uint32_t>(layout.volume_bytes - used) / layout.cluster_bytes;
    const uint32_t needed =
        RoundUp(TableBytesFor(layout.kind, layout.cluster_count), layout.sector_bytes);
    if (needed <= layout.table_bytes) break;
    layout.table_bytes = needed;
  }
  layout.root_offset =
      layout.kind == FatKind::kFat32 ? 0 : layout.table_offset + 2 * layout.table_bytes;
  layout.data_offset = layout.table_offset + 2 * layout.table_bytes + root_bytes;
}

}  // namespace

Result<FatLayout> DecodeBootSector(ByteSpan sector, uint32_t volume_offset, uint32_t device_bytes) {
  if (!HasBootSignature(sector) || (sector[0] != 0xEB && sector[0] != 0xE9)) {
    return Status::kCorrupted;
  }
  if (std::memcmp(sector.data() + 3, "EXFAT   ", 8) == 0) return Status::kNotSupported;
  const BootFields fields = ReadBootFields(sector);
  OTA_TRY(VerifyBootFields(fields));
  const uint64_t volume_bytes = fields.total_sectors * fields.sector_bytes;
  if (!IsInBounds(volume_offset, volume_bytes, device_bytes)) return Status::kCorrupted;

  const uint64_t table_bytes = uint64_t{fields.table_sectors} * fields.sector_bytes;
  const uint64_t reserved_bytes = uint64_t{fields.reserved_sectors} * fields.sector_bytes;
  const uint64_t root_bytes =
      RoundUp(fields.root_entry_count * kFatEntryBytes, fields.sector_bytes);
  const uint64_t data = reserved_bytes + table_bytes * fields.table_count + root_bytes;
  if (data >= volume_bytes) return Status::kCorrupted;

  FatLayout layout{};
  layout.sector_bytes = fields.sector_bytes;
  layout.cluster_bytes = fields.sector_bytes * fields.sectors_per_cluster;
  layout.volume_offset = volume_offset;
  layout.volume_bytes = static_cast<uint32_t>(volume_bytes);
  layout.cluster_count = static_cast<uint32_t>(volume_bytes - data) / layout.cluster_bytes;
  layout.kind = KindOf(LoadLe16(sector.data() + 22), layout.cluster_count);
  layout.table_offset = volume_offset + static_cast<uint32_t>(reserved_bytes);
  layout.table_bytes = static_cast<uint32_t>(table_bytes);
  layout.table_count = fields.table_count;
  layout.data_offset = volume_offset + static_cast<uint32_t>(data);
  if (layout.cluster_count == 0 || layout.cluster_count > kFat32ClustersMax ||
      TableBytesFor(layout.kind, layout.cluster_count) > table_bytes) {
    return Status::kCorrupted;
  }
  if (layout.kind != FatKind::kFat32) {
    if (fields.root_entry_count == 0) return Status::kCorrupted;
    layout.root_entry_count = fields.root_entry_count;
    layout.root_offset = layout.data_offset - static_cast<uint32_t>(root_bytes);
    return layout;
  }
  // Bit 7 of the flags: no mirroring, bits 0 to 3 say which copy counts.
  const uint32_t flags = LoadLe16(sector.data() + 40);
  if ((flags & 0x80) != 0) {
    if ((flags & 0x0F) >= layout.table_count) return Status::kCorrupted;
    layout.table_offset += (flags & 0x0F) * layout.table_bytes;
    layout.table_count = 1;
  }
  layout.root_cluster = LoadLe32(sector.data() + 44);
  if (!layout.IsCluster(layout.root_cluster)) return Status::kCorrupted;
  const uint32_t info_sector = LoadLe16(sector.data() + 48);
  if (info_sector != 0 && info_sector < fields.reserved_sectors) {
    layout.info_offset = volume_offset + info_sector * fields.sector_bytes;
  }
  return layout;
}

Result<uint32_t> FindFatPartition(ByteSpan sector, uint32_t& first) {
  if (!HasBootSignature(sector)) return Status::kCorrupted;
  for (; first < 4; ++first) {
    const uint8_t* const entry = sector.data() + 0x1BE + 16 * first;
    const uint8_t type = entry[4];
    const bool is_fat = type == 0x01 || type == 0x04 || type == 0x06 || type == 0x0B ||
                        type == 0x0C || type == 0x0E;
    const uint64_t offset = uint64_t{LoadLe32(entry + 8)} * kFatSectorBytesMin;
    if (!is_fat || offset == 0 || offset > UINT32_MAX) continue;
    ++first;
    return static_cast<uint32_t>(offset);
  }
  return Status::kCorrupted;
}

Result<FatLayout> PlanFatLayout(const FatFormatOptions& options, uint32_t device_bytes) {
  if (!IsPowerOfTwo(options.sector_bytes) || options.sector_bytes < kFatSectorBytesMin ||
      options.sector_bytes > kFatSectorBytesMax) {
    return Status::kNotSupported;
  }
  FatLayout layout{};
  layout.sector_bytes = options.sector_bytes;
  layout.volume_offset = options.is_partitioned ? kPartitionAlignmentBytes : 0;
  if (device_bytes <= layout.volume_offset) return Status::kNotSupported;
  layout.volume_bytes = device_bytes - layout.volume_offset;
  layout.volume_bytes -= layout.volume_bytes % options.sector_bytes;
  layout.kind = PreferredKind(options.kind, layout.volume_bytes);
  layout.table_count = 2;

  const uint32_t total_sectors = layout.volume_bytes / options.sector_bytes;
  uint32_t sectors = options.cluster_bytes / options.sector_bytes;
  if (options.cluster_bytes == 0) {
    const bool is_preferred = options.kind == FatFormatOptions::Kind::kAutomatic;
    sectors = ChooseSectorsPerCluster(
        layout.kind, total_sectors,
        is_preferred ? PreferredSectorsPerCluster(layout.kind, layout.volume_bytes) : 1);
  }
  if (!IsPowerOfTwo(sectors) || sectors > 128) return Status::kNotSupported;
  layout.cluster_bytes = sectors * options.sector_bytes;

  const bool is_fat32 = layout.kind == FatKind::kFat32;
  if (!is_fat32) {
    layout.root_entry_count =
        RoundUp(std::max(options.root_entry_count, 1u), options.sector_bytes / kFatEntryBytes);
    if (layout.root_entry_count > 0xFFF0) return Status::kNotSupported;
  }
  FitTable(layout, (is_fat32 ? kFat32ReservedSectors : 1) * options.sector_bytes);
  if (!IsClusterCountOfKind(layout.kind, layout.cluster_count)) return Status::kNotSupported;
  if (is_fat32) {
    layout.root_cluster = 2;
    layout.info_offset = layout.volume_offset + kFsInfoSector * options.sector_bytes;
  }
  return layout;
}

void EncodeBootSector(const FatLayout& layout, const FatFormatOptions& options,
                      MutableByteSpan sector) {
  std::fill(sector.begin(), sector.end(), uint8_t{0});
  uint8_t* const at = sector.data();
  const bool is_fat32 = layout.kind == FatKind::kFat32;
  const uint8_t jump[3] = {0xEB, static_cast<uint8_t>(is_fat32 ? 0x58 : 0x3C), 0x90};
  std::memcpy(at, jump, sizeof(jump));
  std::memcpy(at + 3, "OTATINYM", 8);
  StoreLe16(at + 11, static_cast<uint16_t>(layout.sector_bytes));
  at[13] = static_cast<uint8_t>(layout.cluster_bytes / layout.sector_bytes);
  const uint32_t reserved = (layout.table_offset - layout.volume_offset) / layout.sector_bytes;
  StoreLe16(at + 14, static_cast<uint16_t>(reserved));
  at[16] = static_cast<uint8_t>(layout.table_count);
  StoreLe16(at + 17, static_cast<uint16_t>(layout.root_entry_count));
  const uint32_t total = layout.volume_bytes / layout.sector_bytes;
  if (!is_fat32 && total < 0x10000) {
    StoreLe16(at + 19, static_cast<uint16_t>(total));
  } else {
    StoreLe32(at + 32, total);
  }
  at[21] = kMediaFixed;
  const uint32_t table_sectors = layout.table_bytes / layout.sector_bytes;
  StoreLe16(at + 24, 63);
  StoreLe16(at + 26, 255);
  StoreLe32(at + 28, layout.volume_offset / layout.sector_bytes);
  uint8_t* tail = at + 36;  // the part that both kinds have, at different places
  if (is_fat32) {
    StoreLe32(at + 36, table_sectors);
    StoreLe32(at + 44, layout.root_cluster);
    StoreLe16(at + 48, kFsInfoSector);
    StoreLe16(at + 50, kBackupSector);
    tail = at + 64;
  } else {
    StoreLe16(at + 22, static_cast<uint16_t>(table_sectors));
  }
  tail[0] = 0x80;
  tail[2] = 0x29;
  StoreLe32(tail + 3, options.serial);
  std::memcpy(tail + 7, "NO NAME    ", 11);
  const char* const kinds[] = {"FAT12   ", "FAT16   ", "FAT32   "};
  std::memcpy(tail + 18, kinds[static_cast<size_t>(layout.kind)], 8);
  at[510] = 0x55;
  at[511] = 0xAA;
}

void EncodeMasterBootRecord(const FatLayout& layout, MutableByteSpan sector) {
  std::fill(sector.begin(), sector.end(), uint8_t{0});
  uint8_t* const entry = sector.data() + 0x1BE;
  // Cylinder, head and sector that say "too large": readers take the sector numbers.
  const uint8_t by_sector_number[3] = {0xFE, 0xFF, 0xFF};
  std::memcpy(entry + 1, by_sector_number, 3);
  std::memcpy(entry + 5, by_sector_number, 3);
  entry[4] = layout.kind == FatKind::kFat32   ? 0x0C
             : layout.kind == FatKind::kFat12 ? 0x01
             : layout.volume_bytes < MiB(32)  ? 0x04
                                              : 0x06;
  StoreLe32(entry + 8, layout.volume_offset / kFatSectorBytesMin);
  StoreLe32(entry + 12, layout.volume_bytes / kFatSectorBytesMin);
  sector[510] = 0x55;
  sector[511] = 0xAA;
}

void EncodeFsInfo(uint32_t free_cluster_count, uint32_t next_cluster, MutableByteSpan sector) {
  std::fill(sector.begin(), sector.end(), uint8_t{0});
  StoreLe32(sector.data(), 0x41615252);
  StoreLe32(sector.data() + 484, 0x61417272);
  StoreLe32(sector.data() + 488, free_cluster_count);
  StoreLe32(sector.data() + 492, next_cluster);
  StoreLe32(sector.data() + 508, 0xAA550000);
}

uint32_t DecodeFsInfo(ByteSpan sector) {
  if (LoadLe32(sector.data()) != 0x41615252 || LoadLe32(sector.data() + 484) != 0x61417272) {
    return kFatFreeUnknown;
  }
  return LoadLe32(sector.data() + 488);
}

}  // namespace ota::storage
