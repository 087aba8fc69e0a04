// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_volume.h"

#include <algorithm>
#include <cstring>

namespace ota::storage {

Status FatVolume::Mount() {
  is_mounted_ = false;
  is_dirty_ = false;
  cached_offset_ = kNothingCached;
  is_free_count_exact_ = false;
  next_free_ = 2;
  const Geometry& geometry = device_.geometry();
  if (geometry.needs_erase || buffer_.size() < kFatSectorBytesMin) return Status::kNotSupported;
  const MutableByteSpan sector = buffer_.first(kFatSectorBytesMin);
  OTA_TRY(device_.Read(0, sector));
  Result<FatLayout> layout = DecodeBootSector(sector, 0, geometry.size_bytes);
  for (uint32_t partition = 0; layout.status() == Status::kCorrupted;) {
    OTA_TRY(device_.Read(0, sector));
    OTA_TRY(const uint32_t offset, FindFatPartition(sector, partition));
    if (!IsInBounds(offset, sector.size(), geometry.size_bytes)) continue;
    OTA_TRY(device_.Read(offset, sector));
    layout = DecodeBootSector(sector, offset, geometry.size_bytes);
  }
  if (!layout.ok()) return layout.status();
  if (layout->sector_bytes > buffer_.size() || layout->sector_bytes % geometry.read_unit != 0 ||
      layout->sector_bytes % geometry.program_unit != 0 ||
      layout->volume_offset % geometry.program_unit != 0) {
    return Status::kNotSupported;
  }
  layout_ = *layout;
  OTA_TRY(free_count_, ReadClaimedFree());
  is_mounted_ = true;
  return Status::kOk;
}

Status FatVolume::Flush() {
  if (!is_dirty_) return Status::kOk;
  const ByteSpan sector = buffer_.first(layout_.sector_bytes);
  OTA_TRY(device_.Program(cached_offset_, sector));
  const bool is_table =
      IsInBounds(cached_offset_ - uint64_t{layout_.table_offset}, 1, layout_.table_bytes);
  if (is_table && layout_.table_count == 2) {
    OTA_TRY(device_.Sync());
    OTA_TRY(device_.Program(cached_offset_ + layout_.table_bytes, sector));
  }
  is_dirty_ = false;
  return Status::kOk;
}

Status FatVolume::Commit() {
  OTA_TRY(Flush());
  return device_.Sync();
}

Result<uint8_t*> FatVolume::LoadSector(uint32_t offset) {
  if (offset != cached_offset_) {
    OTA_TRY(Flush());
    cached_offset_ = kNothingCached;
    Status status = device_.Read(offset, buffer_.first(layout_.sector_bytes));
    if (status == Status::kMediumFailed) status = ReadOtherCopy(offset);
    OTA_TRY(status);
    cached_offset_ = offset;
  }
  return buffer_.data();
}

// A cut may leave the sector that was being written unreadable until it is written again.
Status FatVolume::ReadOtherCopy(uint32_t offset) {
  const uint64_t at = offset - uint64_t{layout_.table_offset};
  if (layout_.table_count != 2 || !IsInBounds(at, 1, uint64_t{layout_.table_bytes} * 2)) {
    return Status::kMediumFailed;
  }
  const bool is_first = at < layout_.table_bytes;
  const uint32_t other = is_first ? offset + layout_.table_bytes : offset - layout_.table_bytes;
  ++lost_table_sector_count_;
  return device_.Read(other, buffer_.first(layout_.sector_bytes));
}

Status FatVolume::Read(uint32_t offset, MutableByteSpan target) {
  while (!target.empty()) {
    const uint32_t skip = (offset - layout_.volume_offset) % layout_.sector_bytes;
    size_t part = target.size() - target.size() % layout_.sector_bytes;
    if (skip == 0 && part != 0) {
      if (is_dirty_ && IsCachedIn(offset, part)) OTA_TRY(Flush());
      OTA_TRY(device_.Read(offset, target.first(part)));
    } else {
      OTA_TRY(const uint8_t* const sector, LoadSector(offset - skip));
      part = std::min<size_t>(target.size(), layout_.sector_bytes - skip);
      std::memcpy(target.data(), sector + skip, part);
    }
    target = target.subspan(part);
    offset += static_cast<uint32_t>(part);
  }
  return Status::kOk;
}

Status FatVolume::Write(uint32_t offset, ByteSpan bytes) {
  while (!bytes.empty()) {
    const uint32_t skip = (offset - layout_.volume_offset) % layout_.sector_bytes;
    size_t part = bytes.size() - bytes.size() % layout_.sector_bytes;
    if (skip == 0 && part != 0) {
      if (IsCachedIn(offset, part)) {
        is_dirty_ = false;
        cached_offset_ = kNothingCached;
      }
      OTA_TRY(device_.Program(offset, bytes.first(part)));
    } else {
      OTA_TRY(uint8_t* const sector, LoadSector(offset - skip));
      part = std::min<size_t>(bytes.size(), layout_.sector_bytes - skip);
      std::memcpy(sector + skip, bytes.data(), part);
      is_dirty_ = true;
    }
    bytes = bytes.subspan(part);
    offset += static_cast<uint32_t>(part);
  }
  return Status::kOk;
}

Status FatVolume::Fill(uint32_t offset, uint32_t length, uint8_t value) {
  for (uint32_t done = 0; done < length; done += layout_.sector_bytes) {
    OTA_TRY(Flush());
    cached_offset_ = kNothingCached;
    std::memset(buffer_.data(), value, layout_.sector_bytes);
    OTA_TRY(device_.Program(offset + done, buffer_.first(layout_.sector_bytes)));
  }
  return Status::kOk;
}

Result<uint32_t> FatVolume::ReadRawLink(uint32_t cluster, uint32_t copy) {
  const uint32_t table = layout_.table_offset + copy * layout_.table_bytes;
  uint8_t raw[4] = {};
  if (layout_.kind == FatKind::kFat12) {
    OTA_TRY(Read(table + cluster + cluster / 2, MutableByteSpan(raw, 2)));
    const uint32_t pair = LoadLe16(raw);
    const uint32_t link = cluster % 2 == 0 ? pair & 0xFFF : pair >> 4;
    return link >= 0xFF7 ? link | 0xFFFFF000 : link;
  }
  if (layout_.kind == FatKind::kFat16) {
    OTA_TRY(Read(table + cluster * 2, MutableByteSpan(raw, 2)));
    const uint32_t link = LoadLe16(raw);
    return link >= 0xFFF7 ? link | 0xFFFF0000 : link;
  }
  OTA_TRY(Read(table + cluster * 4, raw));
  const uint32_t link = LoadLe32(raw) & 0x0FFFFFFF;
  return link >= 0x0FFFFFF7 ? link | 0xF0000000 : link;
}

Result<uint32_t> FatVolume::ReadLink(uint32_t cluster) {
  if (!layout_.IsCluster(cluster)) return Status::kCorrupted;
  OTA_TRY(const uint32_t link, ReadRawLink(cluster, 0));
  if (link > kBad) return kEnd;
  if (link == kBad || link == kFree || layout_.IsCluster(link)) return link;
  return Status::kCorrupted;
}

Status FatVolume::WriteLink(uint32_t cluster, uint32_t link) {
  if (!layout_.IsCluster(cluster)) return Status::kCorrupted;
  uint8_t raw[4] = {};
  if (layout_.kind == FatKind::kFat12) {
    const uint32_t offset = layout_.table_offset + cluster + cluster / 2;
    OTA_TRY(Read(offset, MutableByteSpan(raw, 2)));
    const uint32_t pair = LoadLe16(raw);
    const uint32_t changed = cluster % 2 == 0 ? (pair & 0xF000) | (link & 0xFFF)
                                              : (pair & 0x000F) | ((link & 0xFFF) << 4);
    StoreLe16(raw, static_cast<uint16_t>(changed));
    return Write(offset, ByteSpan(raw, 2));
  }
  if (layout_.kind == FatKind::kFat16) {
    StoreLe16(raw, static_cast<uint16_t>(link));
    return Write(layout_.table_offset + cluster * 2, ByteSpan(raw, 2));
  }
  const uint32_t offset = layout_.table_offset + cluster * 4;
  OTA_TRY(Read(offset, raw));
  StoreLe32(raw, (LoadLe32(raw) & 0xF0000000) | (link & 0x0FFFFFFF));
  return Write(offset, raw);
}

Result<uint32_t> FatVolume::FollowChain(uint32_t cluster, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(cluster, ReadLink(cluster));
    if (!layout_.IsCluster(cluster)) return Status::kCorrupted;
  }
  return cluster;
}

Result<uint32_t> FatVolume::Allocate(uint32_t previous) {
  if (is_free_count_exact_ && free_count_ == 0) return Status::kStorageFull;
  if (!layout_.IsCluster(next_free_)) next_free_ = 2;
  uint32_t found = next_free_;
  for (uint32_t tried = 0;; ++tried) {
    if (tried == layout_.cluster_count) return Status::kStorageFull;
    OTA_TRY(const uint32_t link, ReadRawLink(found, 0));
    if (link == kFree) break;
    found = layout_.IsCluster(found + 1) ? found + 1 : 2;
  }
  OTA_TRY(WriteLink(found, kEnd));
  if (previous != 0) OTA_TRY(WriteLink(previous, found));
  if (free_count_ != kFatFreeUnknown && free_count_ != 0) --free_count_;
  next_free_ = found + 1;
  return found;
}

Status FatVolume::FreeChain(uint32_t first) {
  uint32_t cluster = first;
  for (uint32_t i = 0; i < layout_.cluster_count && layout_.IsCluster(cluster); ++i) {
    OTA_TRY(const uint32_t link, ReadRawLink(cluster, 0));
    if (link == kFree) break;
    OTA_TRY(WriteLink(cluster, kFree));
    if (free_count_ != kFatFreeUnknown) ++free_count_;
    next_free_ = std::min(next_free_, cluster);
    cluster = link;
  }
  return Status::kOk;
}

Result<uint32_t> FatVolume::FindFreeRun(uint32_t count) {
  uint32_t total = 0;
  uint32_t run = 0;
  for (uint32_t i = 0; i < layout_.cluster_count; ++i) {
    OTA_TRY(const uint32_t link, ReadRawLink(i + 2, 0));
    if (link != kFree) {
      run = 0;
      continue;
    }
    ++total;
    if (++run >= count) {
      next_free_ = i + 2 - (run - 1);
      return next_free_;
    }
  }
  free_count_ = total;
  is_free_count_exact_ = true;
  return total >= count ? Result<uint32_t>(kFree) : Status::kStorageFull;
}

Status FatVolume::TakeRun(uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(WriteLink(first + i, i + 1 == count ? kEnd : first + i + 1));
  }
  if (free_count_ != kFatFreeUnknown) free_count_ -= std::min(free_count_, count);
  next_free_ = first + count;
  return Status::kOk;
}

Result<uint32_t> FatVolume::CountFree() {
  if (is_free_count_exact_) return free_count_;
  uint32_t total = 0;
  for (uint32_t i = 0; i < layout_.cluster_count; ++i) {
    OTA_TRY(const uint32_t link, ReadRawLink(i + 2, 0));
    if (link == kFree) ++total;
  }
  free_count_ = total;
  is_free_count_exact_ = true;
  return total;
}

Result<uint32_t> FatVolume::ReadClaimedFree() {
  if (layout_.info_offset == 0) return kFatFreeUnknown;
  OTA_TRY(const uint8_t* const sector, LoadSector(layout_.info_offset));
  return DecodeFsInfo(ByteSpan(sector, layout_.sector_bytes));
}

Status FatVolume::WriteFsInfo() {
  if (layout_.info_offset == 0) return Status::kOk;
  OTA_TRY(const uint32_t claimed, ReadClaimedFree());
  if (claimed == free_count_) return Status::kOk;
  uint8_t fields[8];
  StoreLe32(fields, free_count_);
  StoreLe32(fields + 4, layout_.IsCluster(next_free_) ? next_free_ : 2);
  return Write(layout_.info_offset + 488, fields);
}

}  // namespace ota::storage
