// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/fat/fat_directory.h"
#include "storage/file_system/file_system.h"

namespace ota::storage {

/// FAT12, FAT16 and FAT32 with long names, as cards hold it: behind a master boot record (the first
/// partition with a FAT) or over the whole device. Needs a block device that overwrites freely.
/// Format: docs/formats/fat.md.
///
/// The order of writes keeps what FileSystem promises, as long as the device programs a sector
/// either whole or not at all. If it tears sectors, other files are still safe, since what is
/// programmed over them is what was there; but the named file may then have another size or another
/// first letter, and its new bytes may be lost.
///
/// Not supported: exFAT, other code pages in short names (their letters show as '_'), folding the
/// case of letters beyond ASCII, moving a directory to another one.
class FatFileSystem final : public FileSystem {
 public:
  /// `buffer` holds one sector: 512 bytes for nearly all media, up to 4096.
  FatFileSystem(BlockDevice& device, Waiter& waiter, MutableByteSpan buffer,
                const FatFormatOptions& options = {})
      : volume_(device, waiter, buffer), options_(options) {}

  Status Mount() override { return volume_.Mount(); }
  Status Format() override;
  Result<Directory> OpenDirectory(std::string_view path) override;
  Result<FileInfo> ReadDirectory(Directory& directory, std::span<char> name) override;
  Result<File> Open(std::string_view path) override;
  Result<File> Create(std::string_view path, uint32_t capacity_bytes) override;
  Result<File> CreateContiguous(std::string_view path, uint32_t size_bytes) override;
  Status Append(File& file, ByteSpan bytes) override;
  Status Sync(File& file) override;
  Status Read(File& file, uint32_t offset, MutableByteSpan target) override;
  Result<size_t> ReadExtents(File& file, uint32_t offset, std::span<Extent> extents) override;
  uint32_t extent_unit() const override { return layout().cluster_bytes; }
  Status Delete(std::string_view path) override;
  Status Rename(std::string_view source, std::string_view target) override;
  Status CreateDirectory(std::string_view path) override;
  Result<CheckReport> Check(CheckMode mode, MutableByteSpan work) override;
  Result<VolumeSpace> ReadSpace() override;

  /// What Mount found.
  const FatLayout& layout() const { return volume_.layout(); }

 private:
  Status VerifyMounted() const { return volume_.is_mounted() ? Status::kOk : Status::kWrongState; }
  /// Where `path` is to be made: its directory and last component.
  Status FindNewPlace(std::string_view path, uint32_t& parent, std::string_view& last);
  uint32_t ClusterCount(uint32_t size_bytes) const;
  /// Moves the file's cursor to the cluster of that index.
  Status SeekTo(File& file, uint32_t cluster_index);
  /// Makes room behind the end: at least one byte. Returns how many bytes lie there in a row, at
  /// most `wanted`, and where they begin.
  Result<uint32_t> ExtendFile(File& file, uint32_t wanted, uint32_t& offset);
  void FillTimes(uint8_t* entry, bool is_new) const;

  FatVolume volume_;
  FatFormatOptions options_;
};

}  // namespace ota::storage
