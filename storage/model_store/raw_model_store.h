// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "storage/block_device/block_device.h"
#include "storage/model_store/journal.h"
#include "storage/model_store/model_store.h"

// The model store on a block device of its own, which most often is a Partition: a journal at its
// start, behind it slots. A slot is contiguous, so that on a memory mapped unit a model is used in
// place. Bytes on the medium: docs/formats/model_store.md.
//
// Invariants besides those of ModelStore:
//  - a slot is erased or written only after the record that takes it is on the medium;
//  - slots of images that are there or open never overlap.
//
//   RawModelStore store(partition, workspace);
//   while ((status = store.Mount()) == Status::kBusy) Idle();
//   if (status == Status::kCorrupted) … Format() …

namespace ota::storage {

inline constexpr size_t kImageCountMax = 32;
inline constexpr size_t kOpenCountMax = 4;

class RawModelStore final : public ModelStore, private JournalClient {
 public:
  /// `device` and `workspace` must outlive it. `workspace` is what is programmed at once: a
  /// multiple of the device's program unit, best a power of two; it takes at least one unit.
  RawModelStore(BlockDevice& device, MutableByteSpan workspace);

  Status Mount() override;
  Status Format() override;

  Status Begin(const StageRequest& request) override;
  Result<uint32_t> Append(ByteSpan bytes) override;
  Result<ImageInfo> FindStaging() override;
  Status Resume() override;
  uint32_t staged_bytes() const override;
  Status Finish() override;
  Status Abandon() override;

  Status Activate(const ModelName& name) override;
  Status Confirm(const ModelName& name) override;
  Status Revert(const ModelName& name) override;
  Status Delete(const ModelName& name) override;

  uint32_t image_count() const override;
  Result<ImageInfo> ReadImageInfo(uint32_t index) override;
  Result<ImageInfo> FindImage(const ModelName& name, ImageChoice choice) override;
  Result<ByteSource*> Open(const ModelName& name, ImageChoice choice) override;
  using ModelStore::Open;
  void Close(ByteSource* source) override;

  StoreSpace space() override;
  uint32_t NeededBytes(uint32_t size_bytes) const override;

  Status Scrub(ScrubReport& report) override;

  Status WriteNote(uint8_t key, ByteSpan bytes) override;
  Result<uint32_t> ReadNote(uint8_t key, MutableByteSpan target) override;

 private:
  enum class EntryState : uint8_t {
    kFree = 0,
    kStaging = 1,
    kStaged = 2,
    kTrial = 3,
    kConfirmed = 4,
    kRetired = 5,  ///< gone, but its bytes are kept while it is open
  };

  /// What RAM holds of an image.
  struct Entry {
    uint32_t name_hash = 0;
    uint32_t first_unit = 0;
    uint32_t size_bytes = 0;
    uint16_t position = 0;  ///< of its record in the journal
    EntryState state = EntryState::kFree;
    uint8_t open_count = 0;

    bool is_image() const { return state != EntryState::kFree && state != EntryState::kRetired; }
    bool is_candidate() const { return is_image() && state != EntryState::kConfirmed; }
  };

  /// An open image.
  class Reader final : public ByteSource {
   public:
    uint32_t size_bytes() const override { return entry_->size_bytes; }
    Status Read(uint32_t offset, MutableByteSpan target) override;
    std::optional<ByteSpan> Map() const override;

   private:
    friend class RawModelStore;
    RawModelStore* store_ = nullptr;
    Entry* entry_ = nullptr;
  };

  /// What is under way.
  enum class Operation : uint8_t {
    kNone,
    kFormat,
    kRecord,  ///< one record; taken into the index once it is on the medium
    kBegin,   ///< the same, then the image is ready to be written
    kResume,
    kFinish,
    kScrub,
  };
  enum class FinishStep : uint8_t { kWrite, kVerify, kRecord, kDrop };

  // JournalClient
  void TakeRecord(uint16_t position, const RecordBytes& record) override;
  uint16_t live_count() const override;
  uint16_t live_position(uint16_t index) const override;
  void RefreshRecord(uint16_t index, RecordBytes& record) override;
  void MarkMoved() override;

  // The index
  void TakeImage(const ImageBody& body, uint16_t position);
  void TakeTransition(const TransitionBody& body);
  void Retire(Entry& entry);
  void Forget();
  static bool IsAffected(const Entry& entry, Transition transition, uint32_t name_hash);
  bool HasAffected(Transition transition, uint32_t name_hash) const;
  Entry* FindEntry(uint32_t name_hash, ImageChoice choice);
  Entry* FindFreeEntry();
  const Entry* NthImage(uint32_t index) const;
  Result<Entry*> FindNamed(const ModelName& name, ImageChoice choice);
  Result<ImageBody> ReadBody(const Entry& entry);
  Result<ImageInfo> DescribeImage(const Entry* entry);

  // Space
  uint32_t first_unit() const { return journal_.size_bytes() / device_.geometry().erase_unit; }
  uint32_t end_unit() const;
  uint32_t UnitCount(uint32_t size_bytes) const;
  const Entry* FindBlocking(uint32_t first, uint32_t end, uint32_t replacing_hash) const;
  Result<uint32_t> FindSlot(uint32_t unit_count, uint32_t replacing_hash) const;

  // Operations
  bool IsUnderWay(Operation operation, uint32_t key) const;
  void Start(Operation operation, uint32_t key);
  Status Settle();
  Status Drive();
  Status DriveRecord();
  Status StartBegin(const StageRequest& request, uint32_t key);
  Status Change(Transition transition, const ModelName& name);
  void QueueTransition(Transition transition, uint32_t name_hash);
  Status ScrubImage(ScrubReport& report, const Entry& entry);

  // Staging
  Status Watch(Status status);
  Status WriteBuffered();
  Status EraseAhead();
  Status MarkProgress();
  Status DriveResume();
  Status DriveFinish();
  Status FinishWriting();
  Status FinishVerifying();
  Status CompareDigest(FinishStep next, ImageBody& body);
  Status HashStored(const Entry& entry, uint32_t end);
  Status ReadImage(const Entry& entry, uint32_t offset, MutableByteSpan target);
  void ResetHash();

  BlockDevice& device_;
  MutableByteSpan workspace_;
  Journal journal_;
  bool is_mounted_ = false;

  Operation operation_ = Operation::kNone;
  FinishStep finish_step_ = FinishStep::kWrite;
  uint32_t operation_key_ = 0;

  std::array<Entry, kImageCountMax> entries_{};
  std::array<uint16_t, kNoteKeyCount> note_positions_{};
  std::array<Reader, kOpenCountMax> readers_{};
  uint32_t scrub_index_ = 0;
  uint32_t cursor_unit_ = 0;   ///< end of the newest image, where the search for a slot starts,
  uint64_t newest_nonce_ = 0;  ///< so that wear is even; the nonce tells which is the newest

  // The image in staging
  Entry* staging_ = nullptr;
  bool is_ready_ = false;  ///< Begin or Resume has finished
  bool has_failed_ = false;
  uint32_t taken_bytes_ = 0;
  uint32_t programmed_bytes_ = 0;
  uint32_t durable_bytes_ = 0;
  uint32_t erased_bytes_ = 0;  ///< up to where the slot was erased in this session
  uint32_t hashed_bytes_ = 0;  ///< of the pass that reads back
  crypto::Sha256 hash_;
};

}  // namespace ota::storage
