// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/fat/fat_name.h"
#include "storage/file_system/fat/fat_volume.h"

namespace ota::storage {

/// Bits of an entry's attribute byte.
inline constexpr uint8_t kFatReadOnly = 0x01;
inline constexpr uint8_t kFatLabel = 0x08;
inline constexpr uint8_t kFatDirectory = 0x10;
inline constexpr uint8_t kFatArchive = 0x20;
inline constexpr uint8_t kFatLongName = 0x0F;
inline constexpr uint8_t kFatEntryDeleted = 0xE5;

/// A directory's entry as found: the 32 bytes, where they lie, and the slots of its long name.
struct FatEntry {
  uint8_t bytes[kFatEntryBytes];
  uint32_t offset = 0;      ///< of the entry, on the device
  Directory first_slot;     ///< of its long name, or of the entry itself
  uint32_t slot_count = 0;  ///< slots of the long name before the entry

  bool is_directory() const { return (bytes[11] & kFatDirectory) != 0; }
  bool is_read_only() const { return (bytes[11] & kFatReadOnly) != 0; }
  bool is_dot() const { return bytes[0] == '.'; }
  uint32_t first_cluster(FatKind kind) const {
    const uint32_t high = kind == FatKind::kFat32 ? LoadLe16(bytes + 20) : 0u;
    return (high << 16) | LoadLe16(bytes + 26);
  }
  uint32_t size_bytes() const { return LoadLe32(bytes + 28); }
};

/// Cluster 0 stands for the root, wherever that is. The volume must outlive it.
class FatDirectories {
 public:
  /// Slots of one directory; more is a loop.
  static constexpr uint32_t kSlotsMax = 65536;

  explicit FatDirectories(FatVolume& volume) : volume_(volume) {}

  Directory Open(uint32_t first_cluster) const;

  /// The next slot as it lies there. kEndOfInput: the directory has no more room.
  Status ReadSlot(Directory& directory, uint8_t* slot, uint32_t& offset);

  /// The next entry that is in use, "." and ".." included, labels left out. Its name goes to
  /// `names` unless that is null. kEndOfInput: no more.
  Status ReadEntry(Directory& directory, FatEntry& entry, FatNameCollector* names);

  /// The entry called `name`. kNotFound.
  Result<FatEntry> Find(uint32_t first_cluster, std::string_view name);

  /// The entry at the end of a path, and in `parent` the first cluster of its directory.
  /// kNotFound: a directory on the way, or the entry, is not there; `parent` is right if only the
  /// last is missing. `last` becomes the last component.
  Result<FatEntry> FindPath(std::string_view path, uint32_t& parent, std::string_view& last);

  /// The first cluster of the directory `path`; 0 for the root. kNotFound.
  Result<uint32_t> FindDirectory(std::string_view path);

  /// Writes a new entry: `bytes` but for its name. Nothing of it is seen before all of it is there.
  /// Returns where the entry lies. kStorageFull: no room.
  Result<uint32_t> Insert(uint32_t first_cluster, std::string_view name, uint8_t* bytes);

  /// Marks an entry and its slots as deleted, on the medium.
  Status Remove(const FatEntry& entry);

  /// Whether nothing but "." and ".." is in it.
  Result<bool> ReadIsEmpty(uint32_t first_cluster);

  /// Slots of long names without an entry, and first bytes that were torn, that ReadEntry came
  /// across.
  uint32_t stray_slot_count() const { return stray_slot_count_; }
  /// Lets ReadEntry mark such slots as deleted, and heal such bytes.
  void EraseStrays() { erases_strays_ = true; }

 private:
  struct Place {
    Directory first;       // the first of the free slots
    uint32_t tail_digits;  // bit n: a short name with tail ~n is taken
    bool reaches_end;      // the slots reach past the mark of the directory's end
  };
  struct LongName;

  Result<Place> FindPlace(uint32_t first_cluster, uint32_t slot_count, const uint8_t* short_name);
  Status Extend(Directory& end);
  Result<bool> ReadIsShortNameTaken(uint32_t first_cluster, const uint8_t* short_name);
  Status ChooseShortName(uint32_t first_cluster, std::string_view name, uint32_t tail_digits,
                         uint8_t* short_name);
  Status MarkDeleted(Directory first, uint32_t count);
  Status ClearSlots(Directory first, uint32_t count);
  Status HealFirstByte(FatEntry& entry, uint8_t checksum, bool has_name);

  FatVolume& volume_;
  uint32_t stray_slot_count_ = 0;
  bool erases_strays_ = false;
};

}  // namespace ota::storage
