// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/file_system/device_access.h"
#include "storage/model_store/file_view.h"

namespace ota::storage {

/// Two files of a SPIFFS volume, one for each segment of a journal, as the block device that the
/// journal needs. Their sizes never change, and their bytes are programmed in place, below the file
/// system: so no record costs a change of an index, and none is at risk. To erase means to make a
/// file anew.
///
/// Waits for the device; never busy. Needs a mounted file system, but not for geometry().
class JournalFiles final : public BlockDevice {
 public:
  static constexpr uint32_t kFileCount = 2;
  static constexpr size_t kExtentCount = 4 * kFileCount;

  /// All must outlive it; `device` is the one that the file system is on. `extents`, at least
  /// kExtentCount, remember where the files lie.
  JournalFiles(FileSystem& files, BlockDevice& device, Waiter& waiter, std::span<Extent> extents);

  const Geometry& geometry() const override { return geometry_; }

  /// A file that is not there, or not as long as it should be, reads as erased.
  Status Read(uint32_t offset, MutableByteSpan target) override;

  /// kNotErased: the file is not there or not as long as it should be.
  Status Program(uint32_t offset, ByteSpan data) override;

  /// Makes the file anew.
  Status Erase(uint32_t offset, uint32_t length) override;
  Status Sync() override { return device_.Sync(); }

  /// To be called when the volume was mounted or checked.
  void Forget();

  uint32_t file_bytes() const { return geometry_.erase_unit; }
  uint32_t image_count_max() const { return image_count_max_; }
  static std::string_view FileName(uint32_t index) {
    return index == 0 ? "models.jr0" : "models.jr1";
  }

 private:
  /// Where byte `offset` lies, of the two files in a row. kNotFound, kCorrupted.
  Result<FileView::Range> Locate(uint32_t offset);

  FileSystem& files_;
  DeviceAccess device_;
  std::span<Extent> extents_;
  uint32_t image_count_max_;
  Geometry geometry_;
  std::array<FileView, kFileCount> views_;
};

}  // namespace ota::storage
