// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/device_access.h"
#include "storage/file_system/file_system.h"

namespace ota::storage {

struct EefsOptions {
  enum class ByteOrder : uint8_t { kBig, kLittle };
  /// Of the volumes that Format makes: that of the processor which reads them. Mount finds it out.
  ByteOrder byte_order = ByteOrder::kBig;
  uint32_t slot_count_max = 64;  ///< places in the table that Format makes
};

/// EEFS, NASA's file system for EEPROM and FRAM: a table, and a slot for each file, contiguous and
/// made once. A file is appended to within its slot; a deleted file's slot serves a new one that
/// fits. Needs a block device that overwrites freely. Format: docs/formats/eefs.md.
///
/// Power loss: the format has one copy of everything, so of FileSystem's promises these hold, as
/// long as a unit whose program was cut has no bits but those that it had or was to have:
///  - other files keep names, sizes and bytes; Create and Delete are done or not;
///  - Sync may leave any size, and as long as single bytes are programmed whole or not at all never
///    one below that of an earlier Sync (Check(kRepair) cuts a size to what the slot holds); Rename
///    may leave a name made of both.
/// So write under a new name, verify by digest, and record elsewhere what is valid.
///
/// Create with a capacity of 0 gives a slot of kDefaultCapacityBytes.
class EefsFileSystem final : public FileSystem {
 public:
  static constexpr uint32_t kDefaultCapacityBytes = 512;

  EefsFileSystem(BlockDevice& device, Waiter& waiter, const EefsOptions& options = {})
      : device_(device, waiter), options_(options) {}

  Status Mount() override;
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
  uint32_t extent_unit() const override { return 4; }
  Status Delete(std::string_view path) override;
  Status Rename(std::string_view source, std::string_view target) override;
  Status CreateDirectory(std::string_view path) override;
  Result<CheckReport> Check(CheckMode mode, MutableByteSpan work) override;
  Result<VolumeSpace> ReadSpace() override;

  /// Forbids, or allows again, to append to, delete and rename the file.
  Status SetReadOnly(std::string_view path, bool is_read_only);

  /// Whether the table's CRC fits all bytes of the volume; any change since WriteTableCrc ends
  /// that.
  Result<bool> ReadIsPristine();

  /// Puts the CRC that a boot loader checks into the table: the last step of making an image.
  Status WriteTableCrc();

 private:
  struct Slot {
    uint32_t header_offset;
    uint32_t capacity_bytes;
  };
  struct Header {
    bool is_in_use;
    bool is_read_only;
    uint32_t size_bytes;
    uint32_t modified_s;
    uint32_t name_length;
    char name[40];
  };

  Status VerifyMounted() const { return is_mounted_ ? Status::kOk : Status::kWrongState; }
  uint32_t Load(const uint8_t* at) const;
  void Store(uint8_t* at, uint32_t value) const;
  Status WriteField(uint32_t offset, uint32_t value);
  Result<Slot> ReadSlot(uint32_t index);
  Result<Header> ReadHeader(const Slot& slot);
  Result<uint32_t> FindFile(std::string_view name, Slot& slot, Header& header);
  Result<uint32_t> FindFreeSlot(uint32_t capacity_bytes, Slot& slot);
  Status WriteHeader(const Slot& slot, std::string_view name);
  Status AddSlot(const Slot& slot);
  bool IsNextSlot(uint32_t index, const Slot& slot) const;
  Result<uint32_t> WalkSlots(uint32_t count);
  Status ReadTable(ByteSpan header);
  Result<uint32_t> ComputeTableCrc();

  DeviceAccess device_;
  EefsOptions options_;
  bool is_little_endian_ = false;
  bool is_mounted_ = false;
  bool is_table_torn_ = false;  // the free range in it does not follow the last slot
  bool is_count_torn_ = false;  // it does not follow the entries and the free range
  uint32_t slot_count_ = 0;     // slots in the table, deleted ones included
  uint32_t slot_count_max_ = 0;
  uint32_t free_offset_ = 0;  // behind the last slot
  uint32_t volume_bytes_ = 0;
};

}  // namespace ota::storage
