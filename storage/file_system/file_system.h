// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/status.h"

// A file system: named files on a block device in a format that other tools read and write too.
// Implementations: FatFileSystem, SpiffsFileSystem, EefsFileSystem. Each takes the block device, a
// buffer and a Waiter, which must outlive it, and needs no other memory, whatever the volume.
//
// What lies on the medium is not trusted: any call may find the format's rules broken and then
// returns kCorrupted. No image makes a call crash, access the device out of range or run without
// end: every walk is bounded by a count that comes from the device's size.
//
// After power is lost in the middle of a call, the volume mounts again, and
//  - files that the call does not name keep their names, sizes and bytes;
//  - Create, Delete: the file is there (new and empty, old and whole) or not at all;
//  - Append, Sync: the file has at least the bytes that it had at its last finished Sync, and every
//    byte below the size found was appended; those appended since that Sync may be missing;
//  - Rename: the file is there under its old name, its new name or both, with its bytes.
//    Of two names for the same bytes Check(kRepair) removes one;
//  - space may be lost to files that are no more; Check(kRepair) gives it back.
// Run Check(kRepair) before the first change after a restart that may have been such a one.
//
// Exception: EEFS has room for neither copies nor a journal; its header says what it keeps.

namespace ota::storage {

/// What a file system does while the device is busy. The block device never waits; a file system's
/// call is a chain of device accesses and has to.
class Waiter {
 public:
  /// Called again and again while the device is busy: a board sleeps or feeds its watchdog, a
  /// simulator advances its time. kOk: the access is tried again. Anything else ends the call with
  /// that status, and leaves the volume as a power loss at that moment would: mount again.
  virtual Status Wait() = 0;

 protected:
  ~Waiter() = default;
};

/// A waiter that simply tries again.
class SpinWaiter final : public Waiter {
 public:
  Status Wait() override { return Status::kOk; }
};

/// What a file is called and how long it is.
struct FileInfo {
  std::string_view name;      ///< in the buffer that the caller gave to ReadDirectory
  uint32_t size_bytes = 0;    ///< 0 for a directory
  uint32_t modified_s = 0;    ///< seconds since 1970; 0 where the medium does not say
  bool is_directory = false;  ///< only FAT has them
  bool is_read_only = false;  ///< Append, Delete and Rename refuse it
};

/// A position in a directory. Owned by the caller, made by OpenDirectory, used by ReadDirectory of
/// the same file system; invalid after any change to the volume.
struct Directory {
  uint32_t first_cluster = 0;
  uint32_t cluster = 0;
  uint32_t index = 0;
};

/// An open file. Owned by the caller; made by Open or Create, nothing needs to be closed. Invalid
/// after Mount, Format, and Delete or Rename of the file; after Check(kRepair) it still can be
/// read, if its bytes were on the medium. Of several that are open
/// on one file only one may append; the others keep seeing the old size.
struct File {
  uint32_t size_bytes = 0;
  // What follows belongs to the file system; what it means differs from one to the other.
  uint32_t id = 0;                 ///< FAT: first cluster. SPIFFS: object id. EEFS: slot index.
  uint32_t entry_offset = 0;       ///< device offset of what holds the size
  uint32_t cursor_index = 0;       ///< the last place visited in the chain or index,
  uint32_t cursor_at = 0;          ///< and what was found there
  uint32_t synced_size_bytes = 0;  ///< the size that the medium knows
  uint32_t capacity_bytes = 0;     ///< EEFS: what its slot holds
  bool is_read_only = false;
};

/// A part of a file that lies evenly on the device: `piece_count` pieces of `piece_bytes` each, the
/// first at `offset`, each next one `stride_bytes` further on. A contiguous part has one piece;
/// SPIFFS, which puts a header before each page, has one piece per page. Only the last piece of a
/// file may be shorter than `piece_bytes`: the file's size says.
struct Extent {
  uint32_t offset;  ///< from the start of the block device
  uint32_t piece_bytes;
  uint32_t piece_count;
  uint32_t stride_bytes;  ///< equals piece_bytes when contiguous

  uint32_t size_bytes() const { return piece_bytes * piece_count; }
};

/// Space of a volume for the bytes of files; what the format itself needs is taken off where it
/// can be known.
struct VolumeSpace {
  uint32_t total_bytes = 0;
  uint32_t free_bytes = 0;      ///< a single new file of that size can be written
  uint32_t file_count_max = 0;  ///< 0: bounded by space only
};

inline constexpr size_t kCheckWorkBytesMin = 512;

enum class CheckMode : uint8_t { kReport, kRepair };

/// What Check found. All counts but `file_count` are 0 on a sound volume. After kRepair that
/// returned kOk, another Check finds only `damaged_file_count`, which it does not touch.
struct CheckReport {
  uint32_t file_count = 0;          ///< files that are there
  uint32_t damaged_file_count = 0;  ///< files with bytes that cannot be reached or are shared
  uint32_t leaked_unit_count = 0;   ///< clusters or pages in use by no file
  uint32_t duplicate_count = 0;     ///< second names or second copies that a cut left behind
  uint32_t other_count = 0;         ///< copies of a table that differ, wrong counts, stray entries

  bool is_sound() const {
    return damaged_file_count == 0 && leaked_unit_count == 0 && duplicate_count == 0 &&
           other_count == 0;
  }
};

/// Names are UTF-8. FAT: components of 1 to 255 UTF-16 units, joined by '/', compared without
/// regard to the case of ASCII letters. SPIFFS: 1 to 31 bytes, '/' is an ordinary character. EEFS:
/// 1 to 39 bytes.
///
/// Each call may return kMediumFailed (the device's own error; the call did what it did until then)
/// and kCorrupted; all but Mount and Format return kWrongState before a successful Mount.
class FileSystem {
 public:
  /// Reads what describes the volume. Nothing is changed on the medium.
  /// kCorrupted: no volume of this format, or one that breaks its rules. kNotSupported: a geometry
  /// that this implementation or the given buffer cannot handle.
  virtual Status Mount() = 0;

  /// Makes an empty volume over the whole device, or the part of it that the options say, and
  /// mounts it. What was there is lost; a power loss in the middle leaves a volume that does not
  /// mount, or an empty one. kNotSupported: the device is too small or too large for the format.
  virtual Status Format() = 0;

  /// Starts a listing. `path` is empty for the root. kNotFound: no such directory.
  virtual Result<Directory> OpenDirectory(std::string_view path) = 0;

  /// The next entry; its name goes into `name`. kEndOfInput: there are no more. kBufferTooSmall:
  /// the name is longer than `name`; the next call goes on behind it.
  virtual Result<FileInfo> ReadDirectory(Directory& directory, std::span<char> name) = 0;

  /// kNotFound: no such file, or a directory. kNameInvalid.
  virtual Result<File> Open(std::string_view path) = 0;

  /// Makes a new, empty file. `capacity_bytes` is how large it is going to be: EEFS gives it a slot
  /// of just that size and no more; FAT looks for a contiguous run, so that it has few extents.
  /// kAlreadyExists, kNameInvalid, kStorageFull (no room for that many bytes or for a name),
  /// kNotFound (its directory): nothing was changed.
  virtual Result<File> Create(std::string_view path, uint32_t capacity_bytes) = 0;

  /// Makes a new file of `size_bytes` that lies in one run, on the medium when it returns. What it
  /// holds is what lay there. A power loss leaves all of it or, after Check(kRepair), nothing; on
  /// EEFS perhaps a file of another size. Statuses as Create; kStorageFull also: no run is that
  /// long. kNotSupported: the format scatters its files. kInvalidArgument: size 0.
  virtual Result<File> CreateContiguous(std::string_view path, uint32_t size_bytes) = 0;

  /// Adds bytes at the end. They can be read through `file` at once; another Open and a restart see
  /// them only after Sync. kStorageFull: some of the bytes may have been added, `file.size_bytes`
  /// says how many. kNotSupported: the file is read only.
  virtual Status Append(File& file, ByteSpan bytes) = 0;

  /// Puts the size and all bytes appended through `file` on the medium.
  virtual Status Sync(File& file) = 0;

  /// Fills all of `target` with the bytes from `offset` on. kOutOfRange: the range lies outside of
  /// the file; `target` is unchanged.
  virtual Status Read(File& file, uint32_t offset, MutableByteSpan target) = 0;

  /// Where the bytes of the file lie, from `offset` on, which must be a multiple of extent_unit().
  /// Returns how many were filled in; together they reach the end of the file when that is less
  /// than all of `extents` or their sizes add up to it. Valid until the file is appended to or
  /// deleted, and as long as move_count() stays what it is. An empty file has none.
  virtual Result<size_t> ReadExtents(File& file, uint32_t offset, std::span<Extent> extents) = 0;

  /// What files take space in: FAT clusters, the data of a SPIFFS page, four bytes on EEFS. Known
  /// once mounted.
  virtual uint32_t extent_unit() const = 0;

  /// Changes when bytes of files that nobody wrote may have moved; only SPIFFS does that, to
  /// reclaim space.
  virtual uint32_t move_count() const { return 0; }

  /// Removes the file, or on FAT an empty directory. On the medium when it returns.
  /// kNotFound: nothing was changed. kNotSupported: read only, or a directory that is not empty.
  virtual Status Delete(std::string_view path) = 0;

  /// Gives the file another name, on FAT also in another directory. On the medium when it returns.
  /// kNotFound, kAlreadyExists (it never replaces), kNameInvalid, kStorageFull: nothing was
  /// changed.
  virtual Status Rename(std::string_view source, std::string_view target) = 0;

  /// Makes a directory. kNotSupported where the format has none; else as Create.
  virtual Status CreateDirectory(std::string_view path) = 0;

  /// Goes through the whole volume. `work` makes it faster the larger it is; it has at least
  /// kCheckWorkBytesMin, else kBufferTooSmall.
  /// kCorrupted: so broken that it cannot be walked to its end; nothing was repaired.
  virtual Result<CheckReport> Check(CheckMode mode, MutableByteSpan work) = 0;

  virtual Result<VolumeSpace> ReadSpace() = 0;

  /// The time that new entries get, in seconds since 1970. 0, the start value: not known.
  void set_time_s(uint32_t time_s) { time_s_ = time_s; }

 protected:
  ~FileSystem() = default;
  uint32_t time_s() const { return time_s_; }

 private:
  uint32_t time_s_ = 0;
};

}  // namespace ota::storage
