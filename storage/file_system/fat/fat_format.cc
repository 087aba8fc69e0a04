// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "storage/file_system/fat/fat_file_system.h"

namespace ota::storage {
namespace {

constexpr uint32_t kBackupSector = 6;

// Writes an empty volume through one sector of memory.
class FatFormatter {
 public:
  FatFormatter(DeviceAccess& device, const FatLayout& layout, const FatFormatOptions& options,
               MutableByteSpan sector)
      : device_(device), layout_(layout), options_(options), sector_(sector) {}

  Status Run() {
    // What an earlier volume would be recognised by goes first, what this one is, last.
    OTA_TRY(WriteEmpty(0, sector_.size()));
    OTA_TRY(WriteEmpty(layout_.volume_offset, layout_.table_offset - layout_.volume_offset));
    OTA_TRY(device_.Sync());
    OTA_TRY(WriteTables());
    OTA_TRY(WriteEmpty(layout_.root_offset, layout_.root_entry_count * kFatEntryBytes));
    if (layout_.kind == FatKind::kFat32) {
      OTA_TRY(WriteEmpty(layout_.ClusterOffset(layout_.root_cluster), layout_.cluster_bytes));
      OTA_TRY(WriteInfoSectors());
    }
    OTA_TRY(device_.Sync());
    if (layout_.volume_offset != 0) {
      EncodeMasterBootRecord(layout_, sector_);
      OTA_TRY(device_.Program(0, sector_));
    }
    EncodeBootSector(layout_, options_, sector_);
    OTA_TRY(device_.Program(layout_.volume_offset, sector_));
    return device_.Sync();
  }

 private:
  Status WriteEmpty(uint32_t offset, uint64_t length) {
    std::fill(sector_.begin(), sector_.end(), uint8_t{0});
    for (uint64_t done = 0; done < length; done += sector_.size()) {
      OTA_TRY(device_.Program(offset + static_cast<uint32_t>(done), sector_));
    }
    return Status::kOk;
  }

  Status WriteTables() {
    for (uint32_t copy = 0; copy < layout_.table_count; ++copy) {
      const uint32_t offset = layout_.table_offset + copy * layout_.table_bytes;
      OTA_TRY(WriteEmpty(offset, layout_.table_bytes));
      // Entry 0 repeats the media byte, entry 1 says that the volume is clean.
      if (layout_.kind == FatKind::kFat12) {
        StoreLe32(sector_.data(), 0x00FFFFF8);
      } else if (layout_.kind == FatKind::kFat16) {
        StoreLe32(sector_.data(), 0xFFFFFFF8);
      } else {
        StoreLe32(sector_.data(), 0x0FFFFFF8);
        StoreLe32(sector_.data() + 4, 0x0FFFFFFF);
        StoreLe32(sector_.data() + 8, 0x0FFFFFFF);  // the root directory: one cluster
      }
      OTA_TRY(device_.Program(offset, sector_));
    }
    return Status::kOk;
  }

  Status WriteInfoSectors() {
    EncodeFsInfo(layout_.cluster_count - 1, layout_.root_cluster + 1, sector_);
    const uint32_t backup = layout_.volume_offset + kBackupSector * layout_.sector_bytes;
    OTA_TRY(device_.Program(layout_.info_offset, sector_));
    OTA_TRY(device_.Program(backup + layout_.sector_bytes, sector_));
    EncodeBootSector(layout_, options_, sector_);
    return device_.Program(backup, sector_);
  }

  DeviceAccess& device_;
  const FatLayout& layout_;
  const FatFormatOptions& options_;
  MutableByteSpan sector_;
};

}  // namespace

Status FatFileSystem::Format() {
  volume_.Unmount();
  const Geometry& geometry = volume_.device().geometry();
  OTA_TRY(const FatLayout layout, PlanFatLayout(options_, geometry.size_bytes));
  const uint32_t sector_bytes = layout.sector_bytes;
  if (geometry.needs_erase || volume_.buffer().size() < sector_bytes ||
      sector_bytes % geometry.program_unit != 0 || sector_bytes % geometry.read_unit != 0) {
    return Status::kNotSupported;
  }
  OTA_TRY(
      FatFormatter(volume_.device(), layout, options_, volume_.buffer().first(sector_bytes)).Run());
  return volume_.Mount();
}

}  // namespace ota::storage
