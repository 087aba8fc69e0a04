// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/device_access.h"
#include "storage/file_system/fat/fat_layout.h"

namespace ota::storage {

/// The sectors and the allocation table of a mounted FAT volume, through a cache of one sector.
///
/// Invariants:
///  - a changed sector of the first copy of the table is on the medium before the second copy is
///    begun, so that one of the two always holds each link whole;
///  - a link that leaves ReadLink is a cluster of the volume, kFree, kBad or kEnd.
class FatVolume {
 public:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kBad = 0xFFFFFFF7;
  static constexpr uint32_t kEnd = 0xFFFFFFFF;

  /// `buffer` holds the cached sector.
  FatVolume(BlockDevice& device, Waiter& waiter, MutableByteSpan buffer)
      : device_(device, waiter), buffer_(buffer) {}

  /// Statuses as FileSystem::Mount.
  Status Mount();
  void Unmount() { is_mounted_ = false; }
  bool is_mounted() const { return is_mounted_; }
  const FatLayout& layout() const { return layout_; }

  /// Bytes anywhere on the device; part sectors go through the cache. Write may leave the last part
  /// sector in the cache.
  Status Read(uint32_t offset, MutableByteSpan target);
  Status Write(uint32_t offset, ByteSpan bytes);
  Status Fill(uint32_t offset, uint32_t length, uint8_t value);

  /// Puts the cached sector on the medium, and waits until all is there. What was written before
  /// Commit is there before anything that is written after it.
  Status Commit();

  /// The link of `cluster`. kCorrupted: either is none of the volume.
  Result<uint32_t> ReadLink(uint32_t cluster);
  /// A link in the given copy of the table, unverified when it is out of range.
  Result<uint32_t> ReadRawLink(uint32_t cluster, uint32_t copy);
  Status WriteLink(uint32_t cluster, uint32_t link);

  /// The `count`-th cluster after `cluster`. kCorrupted: the chain ends before.
  Result<uint32_t> FollowChain(uint32_t cluster, uint32_t count);

  /// Takes a free cluster, makes it the end of a chain, and the successor of `previous` unless that
  /// is 0. kStorageFull: there is none, nothing was changed.
  Result<uint32_t> Allocate(uint32_t previous);

  /// Frees a chain up to its end or to the first link that is none.
  Status FreeChain(uint32_t first);

  /// Makes the next Allocate begin at the first run of `count` free clusters, and returns where it
  /// begins; kFree: there is none. kStorageFull: fewer than `count` are free at all.
  Result<uint32_t> FindFreeRun(uint32_t count);

  /// Makes a chain of the `count` free clusters from `first` on.
  Status TakeRun(uint32_t first, uint32_t count);

  /// Counts the free clusters in the table, once.
  Result<uint32_t> CountFree();
  void ForgetFreeCount() { is_free_count_exact_ = false; }

  /// FAT32: what the FSInfo sector claims; kFatFreeUnknown when it claims nothing.
  Result<uint32_t> ReadClaimedFree();

  /// FAT32: writes what is known of the free clusters for other systems; through the cache.
  Status WriteFsInfo();

  /// How often a sector of one copy of the table could not be read, and that of the other was taken
  /// in its place.
  uint32_t lost_table_sector_count() const { return lost_table_sector_count_; }

  /// Drops what the cache holds: the medium changed below it.
  void DropCache() { cached_offset_ = kNothingCached; }
  DeviceAccess& device() { return device_; }
  MutableByteSpan buffer() const { return buffer_; }

 private:
  static constexpr uint32_t kNothingCached = 0xFFFFFFFF;

  Result<uint8_t*> LoadSector(uint32_t offset);
  Status ReadOtherCopy(uint32_t offset);
  Status Flush();
  bool IsCachedIn(uint32_t offset, uint64_t length) const {
    return cached_offset_ != kNothingCached && cached_offset_ >= offset &&
           cached_offset_ - offset < length;
  }

  DeviceAccess device_;
  MutableByteSpan buffer_;
  FatLayout layout_{};
  uint32_t cached_offset_ = kNothingCached;
  uint32_t lost_table_sector_count_ = 0;
  uint32_t next_free_ = 2;
  uint32_t free_count_ = kFatFreeUnknown;
  bool is_free_count_exact_ = false;  // else it is what FSInfo claimed, and changes since
  bool is_dirty_ = false;
  bool is_mounted_ = false;
};

}  // namespace ota::storage
