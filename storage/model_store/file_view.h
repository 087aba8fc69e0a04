// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/file_system/file_system.h"

namespace ota::storage {

/// A file of a fixed size as ranges of the block device below its file system, so that its bytes
/// are read without the file system. What it knows of their place is found anew when the file
/// system has moved them.
class FileView {
 public:
  FileView() = default;

  /// Finds the file. kNotFound; kCorrupted: it has fewer than `size_bytes` bytes.
  Status Open(FileSystem& files, std::string_view name, uint32_t size_bytes);

  /// To be called when the file was written, deleted or checked.
  void Forget() { size_bytes_ = 0; }
  bool is_open() const { return size_bytes_ != 0; }
  uint32_t size_bytes() const { return size_bytes_; }

  struct Range {
    uint32_t device_offset;
    uint32_t length;  ///< of the bytes that lie there in a row, at least 1
  };

  /// Where byte `offset`, below size_bytes(), lies. `extents` remember it, and are to be the same
  /// in each call; the more there are, the less often the file system is asked again. kCorrupted:
  /// the file's structure is broken.
  Result<Range> Locate(FileSystem& files, std::span<Extent> extents, uint32_t offset);

 private:
  Status Resolve(FileSystem& files, std::span<Extent> extents, uint32_t offset);

  // Of the file what it takes to read it.
  uint32_t id_ = 0;
  uint32_t entry_offset_ = 0;
  uint32_t size_bytes_ = 0;

  uint32_t first_offset_ = 0;   ///< of the bytes that the extents cover
  uint32_t covered_bytes_ = 0;  ///< how many these are
  uint32_t move_count_ = 0;
};

}  // namespace ota::storage
