// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "storage/block_device/block_device.h"
#include "storage/model_store/image_cipher.h"
#include "storage/model_store/journal.h"
#include "storage/model_store/model_store.h"

// What both model stores are: an index of images in RAM, a journal of records on the medium, and
// the operations that change the two together. Where the bytes of an image lie is the business of
// the class derived from it, which knows an image's place by a number in its record.
//
// Invariants besides those of ModelStore:
//  - a place is written only after the record that takes it is on the medium;
//  - places of images that are there or open never overlap.

namespace ota::storage {

inline constexpr size_t kImageCountMax = 32;
inline constexpr size_t kOpenCountMax = 4;
inline constexpr uint32_t kBlockCountMax = 64;  ///< in which an image is made durable

/// How many images a store on a unit of that size keeps.
constexpr uint32_t ImageCountMaxOf(uint32_t size_bytes) {
  return size_bytes <= 65536 ? 8 : kImageCountMax;
}

class JournaledStore : public ModelStore {
 public:
  /// Keeps images encrypted, from the next Mount or Format on; a store is mounted only with the
  /// cipher, or without any, that it was made with. `cipher` must outlive the store.
  void UseCipher(ImageCipher& cipher) {
    cipher_ = &cipher;
    journal_.set_flags(cipher.flags());
  }

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

  Status Scrub(ScrubReport& report) override;

  Status WriteNote(uint8_t key, ByteSpan bytes) override;
  Result<uint32_t> ReadNote(uint8_t key, MutableByteSpan target) override;

 protected:
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
    uint32_t place = 0;
    uint32_t size_bytes = 0;
    uint16_t position = 0;  ///< of its record in the journal
    EntryState state = EntryState::kFree;
    uint8_t open_count = 0;

    bool is_image() const { return state != EntryState::kFree && state != EntryState::kRetired; }
    bool is_candidate() const { return is_image() && state != EntryState::kConfirmed; }
    /// Whether Begin for a name of that hash drops it.
    bool IsReplacedBy(uint32_t replacing_hash) const {
      return open_count == 0 && is_candidate() &&
             (name_hash == replacing_hash || state == EntryState::kStaging);
    }
  };

  /// `device`, where the journal is, and `workspace`, what is programmed at once, must outlive it.
  JournaledStore(BlockDevice& device, MutableByteSpan workspace, uint32_t image_count_max,
                 uint32_t segment_count = 0)
      : JournaledStore(device, device.geometry(), workspace, image_count_max, segment_count) {}

  // --- what the derived class does. kBusy: ask again.

  /// Whether an image can lie there.
  virtual bool IsPlace(uint32_t place, uint32_t size_bytes) const = 0;

  /// A place for a new image; what Entry::IsReplacedBy(name_hash) says may be given away. Changes
  /// nothing. kStorageFull.
  virtual Result<uint32_t> FindPlace(uint32_t size_bytes, uint32_t name_hash) = 0;

  /// Makes the place of the image in staging ready to be written from its start.
  virtual Status PreparePlace() { return Status::kOk; }

  /// Makes it ready to be written further, after a restart. Returns from where on.
  virtual Result<uint32_t> ReopenPlace() { return durable_bytes_; }

  /// Programs the first `length` bytes of the workspace behind programmed_bytes_ of the image in
  /// staging.
  virtual Status WriteWorkspace(uint32_t length) = 0;

  /// kOk: what was written is on the medium.
  virtual Status SyncWritten() = 0;

  /// After a restart an image is written further only from multiples of this.
  virtual uint32_t resume_unit() const { return static_cast<uint32_t>(workspace_.size()); }

  /// Finds the image's bytes, so that they are found as long as it is open.
  virtual Status OpenImage(const Entry& entry) {
    (void)entry;  // a place that is known by its number needs no search
    return Status::kOk;
  }
  virtual Status ReadImage(const Entry& entry, uint32_t offset, MutableByteSpan target) = 0;
  virtual std::optional<ByteSpan> MapImage(const Entry& entry) const = 0;

  /// Before the first step of each change, and after its last one.
  virtual Status PrepareChange() { return Status::kOk; }
  virtual Status FinishChange() { return Status::kOk; }

  /// Before the journal is made anew.
  virtual Status PrepareFormat() { return Status::kOk; }

  Status ReadImageRecord(const Entry& entry, RecordBytes& image);
  /// How much is made durable at once.
  uint32_t ComputeBlockBytes() const;

 private:
  friend class Journal;

  JournaledStore(BlockDevice& device, const Geometry& geometry, MutableByteSpan workspace,
                 uint32_t image_count_max, uint32_t segment_count)
      : workspace_(workspace), journal_(device, geometry, *this, image_count_max, segment_count) {}

  /// An open image.
  class Reader final : public ByteSource {
   public:
    uint32_t size_bytes() const override { return entry_->size_bytes; }
    Status Read(uint32_t offset, MutableByteSpan target) override;
    std::optional<ByteSpan> Map() const override;

   private:
    friend class JournaledStore;
    JournaledStore* store_ = nullptr;
    Entry* entry_ = nullptr;
    crypto::AesBlock start_{};
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

  // What the journal asks and tells.

  /// A valid record, in the order written. Called by its Mount.
  void TakeRecord(uint16_t position, const RecordBytes& record);
  /// The live records: how many, and the position of each.
  uint16_t live_count() const;
  uint16_t live_position(uint16_t index) const;
  /// Brings the copy of a live record up to date.
  void RefreshRecord(uint16_t index, RecordBytes& record);
  /// The live records now stand at the positions 0, 1, 2…
  void MarkMoved();

  // The index
  void TakeImage(const RecordBytes& image, uint16_t position);
  void TakeTransition(Transition transition, uint32_t name_hash);
  void Retire(Entry& entry);
  void Forget();
  static bool IsAffected(const Entry& entry, Transition transition, uint32_t name_hash);
  bool HasAffected(Transition transition, uint32_t name_hash) const;
  Entry* FindEntry(uint32_t name_hash, ImageChoice choice);
  Entry* FindFreeEntry();
  const Entry* NthImage(uint32_t index) const;
  Status FindNamed(const ModelName& name, ImageChoice choice, Entry*& entry, RecordBytes& image);
  ImageInfo DescribeImage(const Entry& entry, const RecordBytes& image) const;
  Result<ImageInfo> ReadInfo(const Entry* entry);

  // Operations
  bool IsUnderWay(Operation operation, uint32_t key) const;
  void Start(Operation operation, uint32_t key);
  Status Settle();
  Status Drive();
  Status DriveRecord();
  Status DriveBegin();
  Status StartBegin(const StageRequest& request, uint32_t key);
  Status Change(Transition transition, const ModelName& name);
  void QueueTransition(Transition transition, uint32_t name_hash);
  Status ScrubImage(ScrubReport& report, const Entry& entry);

  // Staging
  Status Watch(Status status);
  Status WriteBuffered();
  Status MarkProgress();
  Status DriveResume();
  Status DriveFinish();
  Status FinishWriting();
  Status FinishVerifying();
  Status CompareDigest(FinishStep next);
  Status HashStored(const Entry& entry, uint32_t end);
  Status ReadPlain(const Entry& entry, const crypto::AesBlock& start, uint32_t offset,
                   MutableByteSpan target);
  Status ReadCipherStart(const Entry& entry, crypto::AesBlock& start);
  void ResetHash();

  // Small things first, since instructions that reach them are shorter.
  bool is_mounted_ = false;
  Operation operation_ = Operation::kNone;
  FinishStep finish_step_ = FinishStep::kWrite;
  bool is_ready_ = false;  ///< Begin or Resume has finished
  bool has_failed_ = false;

 protected:
  bool has_garbage_ = false;  ///< an image went, since FinishChange took note of it

  MutableByteSpan workspace_;

  // The image in staging
  Entry* staging_ = nullptr;
  uint32_t taken_bytes_ = 0;
  uint32_t programmed_bytes_ = 0;
  uint32_t durable_bytes_ = 0;

  uint32_t newest_place_ = 0;  ///< of the newest image, known by its nonce, and its size: where
  uint32_t newest_bytes_ = 0;  ///< the search for a place starts, so that wear is even

 private:
  uint32_t operation_key_ = 0;
  uint32_t scrub_index_ = 0;
  uint32_t hashed_bytes_ = 0;  ///< of the pass that reads back
  ImageCipher* cipher_ = nullptr;
  uint64_t newest_nonce_ = 0;
  std::array<uint16_t, kNoteKeyCount> note_places_{};  ///< position + 1; 0: there is none
  crypto::AesBlock start_{};                           ///< of the image that is written or hashed
  std::optional<crypto::Sha256> hash_;                 ///< since the first ResetHash

 protected:
  Journal journal_;
  std::array<Entry, kImageCountMax> entries_{};

 private:
  std::array<Reader, kOpenCountMax> readers_{};
};

}  // namespace ota::storage
