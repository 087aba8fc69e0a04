// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/file_system/device_access.h"
#include "storage/model_store/file_view.h"

namespace ota::storage {

/// Two files of a volume, one for each segment of a journal, as the block device that the journal
/// needs. Their sizes never change, and their bytes are programmed in place, below the file system:
/// so no record costs a change of a directory, an allocation table or an index, and none of these
/// is at risk. To erase means, on a device that needs erases, to make a file anew.
///
/// Waits for the device; never busy. Needs a mounted file system, but not for geometry().
class JournalFiles final : public BlockDevice {
 public:
  static constexpr uint32_t kFileCount = 2;

  /// All must outlive it; `device` is the one that the file system is on.
  JournalFiles(FileSystem& files, BlockDevice& device, Waiter& waiter);

  const Geometry& geometry() const override { return geometry_; }

  /// A file that is not there, or not as long as it should be, reads as erased.
  Status Read(uint32_t offset, MutableByteSpan target) override;

  /// kNotErased: the file is not there or not as long as it should be.
  Status Program(uint32_t offset, ByteSpan data) override;

  /// Makes the file anew where it is not whole.
  Status Erase(uint32_t offset, uint32_t length) override;
  Status Sync() override { return device_.Sync(); }

  /// To be called when the volume was mounted or checked.
  void Forget();

  uint32_t file_bytes() const { return file_bytes_; }
  uint32_t image_count_max() const { return image_count_max_; }
  static std::string_view FileName(uint32_t index) {
    return index == 0 ? "models.jr0" : "models.jr1";
  }

 private:
  static constexpr size_t kExtentCount = 4;

  Result<FileView*> OpenFile(uint32_t index);
  Status MakeFile(uint32_t index);

  FileSystem& files_;
  DeviceAccess device_;
  uint32_t image_count_max_;
  uint32_t file_bytes_;
  Geometry geometry_;
  std::array<FileView, kFileCount> views_;
  std::array<std::array<Extent, kExtentCount>, kFileCount> extents_{};
};

}  // namespace ota::storage
