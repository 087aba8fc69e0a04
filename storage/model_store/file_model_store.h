// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/model_store/journal_files.h"
#include "storage/model_store/journaled_store.h"

// The model store on SPIFFS, whose pages move and have headers, so that it has no run to give to a
// container: each image is a file, and two more files of a fixed size are the journal. It promises
// what every ModelStore promises, though the file system does not update a file atomically: what
// counts is the journal, whose records are programmed in place; a file that no record names is
// removed before the first change after a restart. Bytes: docs/formats/model_store.md.
//
// Files whose names are not of the store's own kind ("NAME.0007.ota", "models.jr0", "models.jr1")
// are left alone. Nobody else may write to the volume while a call is under way; what the
// application writes in between is fine.
//
// Unlike RawModelStore's, its calls wait for the medium through the Waiter; kBusy comes only
// between the steps of reading an image.
//
//   SpiffsFileSystem files(flash, waiter, page);
//   FileModelStore store(files, flash, waiter, workspace, extents);
//   while ((status = store.Mount()) == Status::kBusy) Idle();

namespace ota::storage {

/// A base class, so that the journal's device is there before the journal.
class JournalFilesHolder {
 protected:
  JournalFilesHolder(FileSystem& files, BlockDevice& device, Waiter& waiter,
                     std::span<Extent> extents)
      : journal_files_(files, device, waiter, extents) {}

  JournalFiles journal_files_;
};

class FileModelStore final : private JournalFilesHolder, public JournaledStore {
 public:
  static constexpr size_t kWorkspaceBytesMin = kCheckWorkBytesMin;
  static constexpr size_t kViewCount = kOpenCountMax + 1;  ///< the last one reads what is not open
  static constexpr size_t kExtentCountMin = JournalFiles::kExtentCount + kViewCount;

  /// All must outlive it; `device` and `waiter` are those of `files`. `workspace` is what is
  /// appended at once: a multiple of kWorkspaceBytesMin. `extents`, at least kExtentCountMin,
  /// remember where the journal and the files of open images lie, each of these a kViewCount-th
  /// share of what the journal leaves: a file takes one for each erase block that it lies in, and
  /// with fewer the file system is asked again and again.
  FileModelStore(FileSystem& files, BlockDevice& device, Waiter& waiter, MutableByteSpan workspace,
                 std::span<Extent> extents);

  /// Mounts the file system too. kCorrupted: it does not mount, or holds no store.
  Status Mount() override;

  /// Of the volume. Format keeps what else is on a volume that mounts; it needs room for two files
  /// of journal_file_bytes(), and says kStorageFull if there is none. What an image took that was
  /// replaced while it was open is free after the next change.
  StoreSpace space() override;
  uint32_t NeededBytes(uint32_t size_bytes) const override;

  /// Whether a file of that name is the store's: one that it may delete.
  static bool IsOwnName(std::string_view file_name);

  uint32_t journal_file_bytes() const { return journal_files_.file_bytes(); }

 private:
  static constexpr size_t kFileNameBytesMax = 31;
  struct FileName {
    char text[kFileNameBytesMax];
    uint8_t length = 0;
    std::string_view view() const { return {text, length}; }
  };
  struct View {
    FileView file;
    uint32_t place = 0;
  };

  bool IsPlace(uint32_t place, uint32_t size_bytes) const override;
  Result<uint32_t> FindPlace(uint32_t size_bytes, uint32_t name_hash) override;
  Status PreparePlace() override;
  Result<uint32_t> ReopenPlace() override;
  Status WriteWorkspace(uint32_t length) override;
  Status SyncWritten() override;
  Status OpenImage(const Entry& entry) override;
  Status ReadImage(const Entry& entry, uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> MapImage(const Entry& entry) const override;
  Status PrepareChange() override;
  Status FinishChange() override;
  Status PrepareFormat() override;

  static FileName MakeFileName(uint32_t place, std::string_view model_name);
  static uint32_t ParsePlace(std::string_view file_name);
  const Entry* FindByPlace(uint32_t place) const;
  Result<bool> ReadIsGarbage(std::string_view file_name);
  Status RemoveGarbage();
  Result<uint32_t> ReadFreeBytes();
  Status DeleteFile(std::string_view name);
  void ForgetViews();
  void ForgetStagingView();
  Result<size_t> OpenView(const Entry& entry);

  FileSystem& files_;
  BlockDevice& device_;
  std::span<Extent> extents_;  ///< but for the journal's
  std::array<View, kViewCount> views_{};
  File staging_file_;
  bool is_checked_ = false;  ///< the volume was repaired since Mount
};

}  // namespace ota::storage
