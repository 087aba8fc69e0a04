// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_check.h"

#include <algorithm>
#include <cstring>

#include "storage/file_system/fat/fat_file_system.h"

namespace ota::storage {
namespace {

// What is compared of the two copies of the table at a time.
constexpr uint32_t kComparedBytes = 512;

bool IsBroken(const Result<uint32_t>& link) { return link.status() == Status::kCorrupted; }

}  // namespace

FatWalk::FatWalk(FatVolume& volume)
    : volume_(volume),
      directories_(volume),
      levels_{directories_.Open(0)},
      visits_left_(volume.layout().root_entry_count +
                   volume.layout().cluster_count *
                       (volume.layout().cluster_bytes / kFatEntryBytes)) {}

Status FatWalk::ReadNext(FatEntry& entry) {
  while (depth_ != 0) {
    const Status status = directories_.ReadEntry(levels_[depth_ - 1], entry, nullptr);
    if (status == Status::kEndOfInput) {
      --depth_;
      continue;
    }
    OTA_TRY(status);
    if (visits_left_-- == 0) return Status::kCorrupted;
    if (entry.is_dot()) continue;
    if (!entry.is_directory()) return Status::kOk;
    if (depth_ == kDepthMax) return Status::kCorrupted;
    const uint32_t first = entry.first_cluster(volume_.layout().kind);
    if (!volume_.layout().IsCluster(first)) return Status::kCorrupted;
    levels_[depth_++] = directories_.Open(first);
    return Status::kOk;
  }
  return Status::kEndOfInput;
}

Result<CheckReport> FatChecker::Run() {
  OTA_TRY(volume_.Commit());
  OTA_TRY(CompareTables());
  OTA_TRY(CheckEntries());
  const uint32_t end = volume_.layout().cluster_count + 2;
  for (window_first_ = 2; window_first_ < end; window_first_ += window_count_) {
    const size_t capacity = std::min<size_t>(bitmap_.size(), UINT32_MAX / 8) * 8;
    window_count_ = static_cast<uint32_t>(std::min<size_t>(end - window_first_, capacity));
    OTA_TRY(CheckWindow());
  }
  OTA_TRY(CheckFsInfo());
  OTA_TRY(volume_.Commit());
  return report_;
}

Status FatChecker::CompareTables() {
  const FatLayout& layout = volume_.layout();
  if (layout.table_count < 2) return Status::kOk;
  uint32_t differing_count = 0;
  uint32_t first_offset = 0;
  const MutableByteSpan piece = bitmap_.first(kComparedBytes);
  for (uint32_t at = 0; at < layout.table_bytes; at += layout.sector_bytes) {
    bool is_same = true;
    const uint32_t lost_before = volume_.lost_table_sector_count();
    for (uint32_t part = 0; part < layout.sector_bytes && is_same; part += kComparedBytes) {
      const uint32_t offset = layout.table_offset + at + part;
      uint8_t byte = 0;
      OTA_TRY(volume_.Read(offset, MutableByteSpan(&byte, 1)));  // brings it into the buffer
      std::memcpy(piece.data(), volume_.buffer().data() + part, kComparedBytes);
      OTA_TRY(volume_.Read(offset + layout.table_bytes, MutableByteSpan(&byte, 1)));
      is_same = std::memcmp(piece.data(), volume_.buffer().data() + part, kComparedBytes) == 0;
    }
    if (is_same && volume_.lost_table_sector_count() == lost_before) continue;
    if (++differing_count == 1) first_offset = at;
    if (repairs_ && differing_count > 1) OTA_TRY(AdoptFirst(at));
  }
  report_.other_count += differing_count;
  if (!repairs_ || differing_count == 0) return Status::kOk;
  if (differing_count == 1) OTA_TRY(TakeSafeLinks(first_offset));
  return AdoptFirst(first_offset);
}

// One sector that differs is what our own cut leaves: the first copy may be torn, the second be the
// state before, or the second torn and the first whole. A link that is free or an end is the safe
// one of two. More that differ: another system keeps only the first copy.
Status FatChecker::TakeSafeLinks(uint32_t offset) {
  const FatLayout& layout = volume_.layout();
  const uint32_t bits = layout.kind == FatKind::kFat12   ? 12
                        : layout.kind == FatKind::kFat16 ? 16
                                                         : 32;
  const uint32_t begin = offset * 8 / bits;
  const uint32_t end =
      std::min((offset + layout.sector_bytes) * 8 / bits + 1, layout.cluster_count + 2);
  for (uint32_t cluster = std::max(begin, 2u); cluster < end; ++cluster) {
    OTA_TRY(const uint32_t first, volume_.ReadRawLink(cluster, 0));
    OTA_TRY(const uint32_t second, volume_.ReadRawLink(cluster, 1));
    const bool is_safe = second == FatVolume::kFree || second > FatVolume::kBad;
    const bool is_first_safe = first == FatVolume::kFree || first > FatVolume::kBad;
    if (first == second || is_first_safe || !is_safe) continue;
    OTA_TRY(volume_.WriteLink(cluster, second));
    OTA_TRY(volume_.Commit());
  }
  return Status::kOk;
}

Status FatChecker::AdoptFirst(uint32_t offset) {
  const FatLayout& layout = volume_.layout();
  // Writing a byte of the sector writes both copies of it.
  uint8_t byte = 0;
  OTA_TRY(volume_.Read(layout.table_offset + offset, MutableByteSpan(&byte, 1)));
  OTA_TRY(volume_.Write(layout.table_offset + offset, ByteSpan(&byte, 1)));
  return volume_.Commit();
}

uint32_t FatChecker::CountClusters(const FatEntry& entry) const {
  const uint32_t cluster_bytes = volume_.layout().cluster_bytes;
  return entry.size_bytes() / cluster_bytes + (entry.size_bytes() % cluster_bytes != 0 ? 1 : 0);
}

Status FatChecker::CheckEntries() {
  FatWalk walk(volume_);
  if (repairs_) walk.directories().EraseStrays();
  FatEntry entry;
  for (;;) {
    const Status status = walk.ReadNext(entry);
    if (status == Status::kEndOfInput) break;
    OTA_TRY(status);
    OTA_TRY(entry.is_directory() ? CheckDirectory(walk, entry) : CheckFile(entry));
  }
  report_.other_count += walk.directories().stray_slot_count();
  return Status::kOk;
}

// Of two names of one directory, as between the two writes of a rename, the first one stays.
Status FatChecker::CheckDirectory(FatWalk& walk, const FatEntry& entry) {
  OTA_TRY(const bool has_twin, ReadHasTwin(entry, entry.offset - 1));
  if (!has_twin) return Status::kOk;
  walk.SkipDirectory();
  return RemoveTwin(entry);
}

Status FatChecker::CheckFile(const FatEntry& entry) {
  ++report_.file_count;
  const uint32_t first = FirstCluster(entry);
  const uint32_t needed = CountClusters(entry);
  if (needed == 0) {
    if (first == 0) return Status::kOk;
    ++report_.other_count;
    if (!repairs_) return Status::kOk;
    const uint8_t none[2] = {};
    OTA_TRY(volume_.Write(entry.offset + 20, none));
    OTA_TRY(volume_.Write(entry.offset + 26, none));
    return volume_.Commit();
  }
  uint32_t last = first;
  if (!volume_.layout().IsCluster(first) || needed > volume_.layout().cluster_count) {
    ++report_.damaged_file_count;
    return Status::kOk;
  }
  const Result<uint32_t> followed = volume_.FollowChain(first, needed - 1);
  if (IsBroken(followed)) {
    ++report_.damaged_file_count;
    return Status::kOk;
  }
  OTA_TRY(last, followed);
  return CheckTail(last);
}

// Clusters behind what the size needs were being appended when the power failed.
Status FatChecker::CheckTail(uint32_t last) {
  const Result<uint32_t> link = volume_.ReadLink(last);
  if (!link.ok() && !IsBroken(link)) return link.status();
  if (link.ok() && *link == FatVolume::kEnd) return Status::kOk;
  ++report_.other_count;
  if (!repairs_) return Status::kOk;
  OTA_TRY(volume_.WriteLink(last, FatVolume::kEnd));
  return volume_.Commit();
}

Status FatChecker::CheckWindow() {
  std::fill(bitmap_.begin(), bitmap_.end(), uint8_t{0});
  const FatLayout& layout = volume_.layout();
  if (layout.kind == FatKind::kFat32) {
    FatEntry root;
    std::memset(root.bytes, 0, sizeof(root.bytes));
    root.bytes[11] = kFatDirectory;
    StoreLe16(root.bytes + 20, static_cast<uint16_t>(layout.root_cluster >> 16));
    StoreLe16(root.bytes + 26, static_cast<uint16_t>(layout.root_cluster));
    OTA_TRY(MarkChain(root));
  }
  FatWalk walk(volume_);
  FatEntry entry;
  for (;;) {
    const Status status = walk.ReadNext(entry);
    if (status == Status::kEndOfInput) return CheckUnmarked();
    OTA_TRY(status);
    OTA_TRY(MarkChain(entry));
  }
}

// True when it was marked before.
bool FatChecker::Mark(uint32_t cluster) {
  if (cluster < window_first_ || cluster - window_first_ >= window_count_) return false;
  const uint32_t index = cluster - window_first_;
  uint8_t& byte = bitmap_[index / 8];
  const uint8_t bit = static_cast<uint8_t>(1u << (index % 8));
  const bool was_marked = (byte & bit) != 0;
  byte = static_cast<uint8_t>(byte | bit);
  return was_marked;
}

Status FatChecker::MarkChain(const FatEntry& entry) {
  const FatLayout& layout = volume_.layout();
  const uint32_t limit = entry.is_directory() ? layout.cluster_count : CountClusters(entry);
  uint32_t cluster = FirstCluster(entry);
  for (uint32_t i = 0; i < limit && layout.IsCluster(cluster); ++i) {
    if (Mark(cluster)) return CheckShared(entry);
    const Result<uint32_t> link = volume_.ReadLink(cluster);
    if (IsBroken(link)) break;
    OTA_TRY(cluster, link);
  }
  return Status::kOk;
}

Status FatChecker::CheckShared(const FatEntry& entry) {
  OTA_TRY(const bool has_twin, ReadHasTwin(entry, UINT32_MAX));
  if (has_twin) {
    --report_.file_count;
    return RemoveTwin(entry);
  }
  ++report_.damaged_file_count;
  return Status::kOk;
}

Status FatChecker::RemoveTwin(const FatEntry& entry) {
  ++report_.duplicate_count;
  if (!repairs_) return Status::kOk;
  FatDirectories directories(volume_);
  return directories.Remove(entry);
}

// Whether another entry, at most at `offset_max`, names the same bytes.
Result<bool> FatChecker::ReadHasTwin(const FatEntry& entry, uint32_t offset_max) {
  FatWalk walk(volume_);
  FatEntry other;
  for (;;) {
    const Status status = walk.ReadNext(other);
    if (status == Status::kEndOfInput) return false;
    OTA_TRY(status);
    if (other.offset != entry.offset && other.offset <= offset_max &&
        FirstCluster(other) == FirstCluster(entry) && other.size_bytes() == entry.size_bytes() &&
        other.is_directory() == entry.is_directory()) {
      return true;
    }
  }
}

Status FatChecker::CheckUnmarked() {
  for (uint32_t i = 0; i < window_count_; ++i) {
    if ((bitmap_[i / 8] & (1u << (i % 8))) != 0) continue;
    OTA_TRY(const uint32_t link, volume_.ReadRawLink(window_first_ + i, 0));
    if (link == FatVolume::kFree || link == FatVolume::kBad) continue;
    ++report_.leaked_unit_count;
    if (repairs_) OTA_TRY(volume_.WriteLink(window_first_ + i, FatVolume::kFree));
  }
  return Status::kOk;
}

Status FatChecker::CheckFsInfo() {
  volume_.ForgetFreeCount();
  OTA_TRY(const uint32_t claimed, volume_.ReadClaimedFree());
  OTA_TRY(const uint32_t free_count, volume_.CountFree());
  if (claimed == kFatFreeUnknown || claimed == free_count) return Status::kOk;
  ++report_.other_count;
  return repairs_ ? volume_.WriteFsInfo() : Status::kOk;
}

Result<CheckReport> FatFileSystem::Check(CheckMode mode, MutableByteSpan work) {
  OTA_TRY(VerifyMounted());
  if (work.size() < kCheckWorkBytesMin) return Status::kBufferTooSmall;
  return FatChecker(volume_, mode, work).Run();
}

}  // namespace ota::storage
