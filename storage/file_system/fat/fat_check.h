// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/fat/fat_directory.h"
#include "storage/file_system/file_system.h"

namespace ota::storage {

/// Visits every entry of a volume, directories before what is in them, without recursion and in
/// bounded steps, whatever the volume says.
class FatWalk {
 public:
  static constexpr uint32_t kDepthMax = 16;

  explicit FatWalk(FatVolume& volume);

  /// kEndOfInput: all were visited. kCorrupted: more than the volume can hold, so it has a loop, or
  /// directories deeper than kDepthMax.
  Status ReadNext(FatEntry& entry);
  /// Leaves out what is in the directory that ReadNext gave last.
  void SkipDirectory() { --depth_; }
  FatDirectories& directories() { return directories_; }

 private:
  FatVolume& volume_;
  FatDirectories directories_;
  Directory levels_[kDepthMax];
  uint32_t depth_ = 1;
  uint32_t visits_left_;
};

/// Finds, and repairs, what a power cut leaves behind. Marks the clusters that files reach in a
/// bitmap that covers a window of the volume, one walk per window.
class FatChecker {
 public:
  FatChecker(FatVolume& volume, CheckMode mode, MutableByteSpan bitmap)
      : volume_(volume), repairs_(mode == CheckMode::kRepair), bitmap_(bitmap) {}

  Result<CheckReport> Run();

 private:
  Status CompareTables();
  Status TakeSafeLinks(uint32_t offset);
  Status AdoptFirst(uint32_t offset);
  Status CheckEntries();
  Status CheckFile(const FatEntry& entry);
  Status CheckDirectory(FatWalk& walk, const FatEntry& entry);
  Status CheckTail(uint32_t last);
  Status CheckWindow();
  Status MarkChain(const FatEntry& entry);
  bool Mark(uint32_t cluster);
  Status CheckShared(const FatEntry& entry);
  Result<bool> ReadHasTwin(const FatEntry& entry, uint32_t offset_max);
  Status RemoveTwin(const FatEntry& entry);
  Status CheckUnmarked();
  Status CheckFsInfo();

  uint32_t CountClusters(const FatEntry& entry) const;
  uint32_t FirstCluster(const FatEntry& entry) const {
    return entry.first_cluster(volume_.layout().kind);
  }

  FatVolume& volume_;
  bool repairs_;
  MutableByteSpan bitmap_;
  uint32_t window_first_ = 2;
  uint32_t window_count_ = 0;
  CheckReport report_;
};

}  // namespace ota::storage
