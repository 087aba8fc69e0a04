// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/file_system.h"
#include "storage/file_system/spiffs/spiffs_volume.h"

namespace ota::storage {

/// SPIFFS, as the ESP32 keeps files on serial NOR flash, and by option the ESP8266 and others.
/// Needs a block device whose program units may be programmed again. Format:
/// docs/formats/spiffs.md.
///
/// Where the format's usual code gives way to a power cut, this does not: an index page counts only
/// once it is complete, the size of a file changes with a new index page, and what was half done is
/// told apart from what is good. Each Sync costs a page, each Append its data and two bytes a page.
///
/// Its pages move when space is reclaimed, in any call that writes; a call may take as long as
/// several erases.
class SpiffsFileSystem final : public FileSystem {
 public:
  /// `buffer` holds one page.
  SpiffsFileSystem(BlockDevice& device, Waiter& waiter, MutableByteSpan buffer,
                   const SpiffsOptions& options = {})
      : volume_(device, waiter, buffer, options) {}

  Status Mount() override { return volume_.Mount(); }
  Status Format() override { return volume_.Format(); }
  Result<Directory> OpenDirectory(std::string_view path) override;
  Result<FileInfo> ReadDirectory(Directory& directory, std::span<char> name) override;
  Result<File> Open(std::string_view path) override;
  Result<File> Create(std::string_view path, uint32_t capacity_bytes) override;
  Result<File> CreateContiguous(std::string_view path, uint32_t size_bytes) override;
  Status Append(File& file, ByteSpan bytes) override;
  Status Sync(File& file) override;
  Status Read(File& file, uint32_t offset, MutableByteSpan target) override;
  Result<size_t> ReadExtents(File& file, uint32_t offset, std::span<Extent> extents) override;
  uint32_t extent_unit() const override { return volume_.data_bytes(); }
  uint32_t move_count() const override { return volume_.move_count(); }
  Status Delete(std::string_view path) override;
  Status Rename(std::string_view source, std::string_view target) override;
  Status CreateDirectory(std::string_view path) override;
  Result<CheckReport> Check(CheckMode mode, MutableByteSpan work) override;
  Result<VolumeSpace> ReadSpace() override;

 private:
  struct Object {
    uint32_t page;
    uint32_t id;  // without the index bit
    uint32_t size_bytes;
    uint32_t modified_s;
    size_t name_length;
  };

  Status VerifyMounted() const { return volume_.is_mounted() ? Status::kOk : Status::kWrongState; }
  Status VerifyName(std::string_view name) const;
  Result<Object> ReadObject(uint32_t page, std::span<char> name);
  Result<Object> FindObject(std::string_view name);
  Result<uint32_t> FindFreeId();
  Result<uint32_t> FindIndexPage(File& file, uint32_t index_span);
  Result<uint32_t> FindDataPage(File& file, uint32_t data_span);
  void SetIndexPage(File& file, uint32_t index_span, uint32_t page);
  Status AppendToTail(File& file, ByteSpan bytes);
  Status RewriteTail(File& file, uint32_t old_page, ByteSpan bytes);
  Status AppendPage(File& file, ByteSpan bytes);
  Result<uint32_t> PrepareEntry(File& file, uint32_t index_span, uint32_t entry);
  uint32_t ComputeFileBytes(uint32_t page_count) const;

  SpiffsVolume volume_;
};

}  // namespace ota::storage
