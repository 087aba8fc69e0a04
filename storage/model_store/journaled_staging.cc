// SPDX-License-Identifier: Apache-2.0
// The half of JournaledStore that brings bytes into their place: staging and reading back.
#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "storage/model_store/journaled_store.h"

namespace ota::storage {
namespace {

constexpr uint32_t kHashStepBytes = KiB(4);  // hashed in one call
constexpr uint32_t kBlockBytesMin = KiB(4);  // made durable at once

}  // namespace

// --- staging

Status JournaledStore::Begin(const StageRequest& request) {
  if (!request.name.is_valid()) return Status::kNameInvalid;
  if (request.size_bytes == 0) return Status::kInvalidArgument;
  const uint32_t key = ComputeNameHash(request.name.view()) ^ LoadLe32(request.digest.data());
  if (!IsUnderWay(Operation::kBegin, key)) {
    OTA_TRY(Settle());
    OTA_TRY(StartBegin(request, key));
  }
  return Drive();
}

Status JournaledStore::StartBegin(const StageRequest& request, uint32_t key) {
  const uint32_t hash = ComputeNameHash(request.name.view());
  for (const Entry& entry : entries_) {  // names of one hash cannot live side by side
    if (!entry.is_image() || entry.name_hash != hash) continue;
    RecordBytes image;
    OTA_TRY(ReadImageRecord(entry, image));
    if (ImageNameOf(image) != request.name.view()) return Status::kNameInvalid;
  }
  const Entry* const replaced = FindEntry(hash, ImageChoice::kCandidate);
  const bool gives_entry = (replaced != nullptr && replaced->open_count == 0) ||
                           (staging_ != nullptr && staging_->open_count == 0);
  if (!gives_entry && FindFreeEntry() == nullptr) return Status::kStorageFull;
  OTA_TRY(const uint32_t first, FindPlace(request.size_bytes, hash));
  EncodeImage(request, first, journal_.next_sequence(), journal_.draft());
  is_ready_ = has_failed_ = false;
  Start(Operation::kBegin, key);
  journal_.Queue();
  return Status::kOk;
}

uint32_t JournaledStore::staged_bytes() const { return staging_ == nullptr ? 0 : taken_bytes_; }

Result<uint32_t> JournaledStore::Append(ByteSpan bytes) {
  if (staging_ == nullptr || !is_ready_) return Status::kWrongState;
  if (bytes.size() > staging_->size_bytes - taken_bytes_) return Status::kOutOfRange;
  OTA_TRY(Settle());
  uint32_t accepted = 0;
  while (accepted < bytes.size()) {
    const Status status = WriteBuffered();
    if (!IsOk(status) && accepted == 0) return status;
    if (!IsOk(status)) break;
    const uint32_t buffered = taken_bytes_ - programmed_bytes_;
    const auto length = static_cast<uint32_t>(
        std::min<size_t>(workspace_.size() - buffered, bytes.size() - accepted));
    const MutableByteSpan part(workspace_.data() + buffered, length);
    std::memcpy(part.data(), bytes.data() + accepted, length);
    hash_->Update(part);
    if (cipher_ != nullptr) cipher_->Apply(start_, taken_bytes_, part);
    accepted += length;
    taken_bytes_ += length;
  }
  return accepted;
}

/// Remembers that the medium failed the image in staging.
Status JournaledStore::Watch(Status status) {
  has_failed_ = !IsOk(status) && status != Status::kBusy;
  return status;
}

/// Programs the workspace when it is full or holds the image's end. kOk: it has room again.
Status JournaledStore::WriteBuffered() {
  if (has_failed_) return Status::kMediumFailed;
  const uint32_t buffered = taken_bytes_ - programmed_bytes_;
  const bool is_end = taken_bytes_ == staging_->size_bytes;
  if (buffered == workspace_.size() || (is_end && buffered != 0)) {
    OTA_TRY(Watch(WriteWorkspace(buffered)));
    programmed_bytes_ = taken_bytes_;
  }
  return MarkProgress();
}

uint32_t JournaledStore::ComputeBlockBytes() const {
  return RoundUp(std::max(staging_->size_bytes / kBlockCountMax, kBlockBytesMin), resume_unit());
}

/// Makes a record of how much is durable, now and then.
Status JournaledStore::MarkProgress() {
  const uint32_t durable = programmed_bytes_ - programmed_bytes_ % resume_unit();
  if (programmed_bytes_ == staging_->size_bytes || durable < durable_bytes_ + ComputeBlockBytes()) {
    return Status::kOk;
  }
  OTA_TRY(Watch(SyncWritten()));
  OTA_TRY(ReadImageRecord(*staging_, journal_.draft()));
  PatchImageDurable(durable, journal_.draft());
  Start(Operation::kRecord, 0);
  journal_.Queue();
  return Drive();
}

Status JournaledStore::Resume() {
  if (staging_ == nullptr) return Status::kNotFound;
  if (is_ready_) return Status::kOk;
  if (!IsUnderWay(Operation::kResume, 0)) {
    OTA_TRY(Settle());
    OTA_TRY(ReadCipherStart(*staging_, start_));
    OTA_TRY(durable_bytes_, ReopenPlace());
    ResetHash();
    Start(Operation::kResume, 0);
  }
  return Drive();
}

Status JournaledStore::DriveResume() {
  OTA_TRY(HashStored(*staging_, durable_bytes_));
  taken_bytes_ = programmed_bytes_ = durable_bytes_;
  is_ready_ = true;
  has_failed_ = false;
  return Status::kOk;
}

Status JournaledStore::Finish() {
  if (!IsUnderWay(Operation::kFinish, 0)) {
    OTA_TRY(Settle());
    if (staging_ == nullptr || !is_ready_ || taken_bytes_ != staging_->size_bytes) {
      return Status::kWrongState;
    }
    finish_step_ = FinishStep::kWrite;
    Start(Operation::kFinish, 0);
  }
  return Drive();
}

Status JournaledStore::DriveFinish() {
  if (finish_step_ == FinishStep::kWrite) OTA_TRY(FinishWriting());
  if (finish_step_ == FinishStep::kVerify) OTA_TRY(FinishVerifying());
  const bool is_dropped = finish_step_ == FinishStep::kDrop;
  OTA_TRY(DriveRecord());
  return is_dropped ? Status::kDigestMismatch : Status::kOk;
}

Status JournaledStore::FinishWriting() {
  OTA_TRY(WriteBuffered());
  OTA_TRY(Watch(SyncWritten()));
  return CompareDigest(FinishStep::kVerify);
}

Status JournaledStore::FinishVerifying() {
  OTA_TRY(HashStored(*staging_, staging_->size_bytes));
  OTA_TRY(CompareDigest(FinishStep::kRecord));
  if (finish_step_ != FinishStep::kRecord) return Status::kOk;
  PatchImageState(ImageState::kStaged, journal_.draft());
  PatchImageDurable(staging_->size_bytes, journal_.draft());
  journal_.Queue();
  return Status::kOk;
}

/// Goes to step `next`, with the image's record as the draft, if what was hashed is the image
/// demanded; otherwise the image is dropped.
Status JournaledStore::CompareDigest(FinishStep next) {
  OTA_TRY(ReadImageRecord(*staging_, journal_.draft()));
  const bool is_right = AreEqual(hash_->Finish(), ImageDigestOf(journal_.draft()));
  ResetHash();
  finish_step_ = is_right ? next : FinishStep::kDrop;
  if (!is_right) QueueTransition(Transition::kAbandon, 0);
  return Status::kOk;
}

// --- reading back

void JournaledStore::ResetHash() {
  hash_.emplace();
  hashed_bytes_ = 0;
}

Status JournaledStore::ReadCipherStart(const Entry& entry, crypto::AesBlock& start) {
  RecordBytes image;
  OTA_TRY(ReadImageRecord(entry, image));
  start = ComputeCipherStart(image);
  return Status::kOk;
}

Status JournaledStore::ReadPlain(const Entry& entry, const crypto::AesBlock& start, uint32_t offset,
                                 MutableByteSpan target) {
  OTA_TRY(ReadImage(entry, offset, target));
  if (cipher_ != nullptr) cipher_->Apply(start, offset, target);
  return Status::kOk;
}

/// Hashes the stored bytes up to `end`, some of them in each call, through the workspace, which is
/// empty whenever an image is read back. kBusy: not yet at the end.
Status JournaledStore::HashStored(const Entry& entry, uint32_t end) {
  const uint32_t step_end = std::min(end, hashed_bytes_ + kHashStepBytes);
  while (hashed_bytes_ < step_end) {
    const MutableByteSpan part =
        workspace_.first(std::min<size_t>(workspace_.size(), step_end - hashed_bytes_));
    OTA_TRY(ReadPlain(entry, start_, hashed_bytes_, part));
    hash_->Update(part);
    hashed_bytes_ += static_cast<uint32_t>(part.size());
  }
  return hashed_bytes_ == end ? Status::kOk : Status::kBusy;
}

Status JournaledStore::Scrub(ScrubReport& report) {
  if (operation_ != Operation::kScrub) {
    OTA_TRY(Settle());
    if (staging_ != nullptr) return Status::kWrongState;
    report = ScrubReport{};
    scrub_index_ = 0;
    ResetHash();
    Start(Operation::kScrub, 0);
  }
  if (journal_.is_busy()) {
    const Status status = DriveRecord();
    if (!IsOk(status) && status != Status::kBusy) operation_ = Operation::kNone;
    OTA_TRY(status);
    report.is_repaired = true;
  }
  const Entry* const entry = NthImage(scrub_index_);
  if (entry != nullptr) {
    OTA_TRY(ScrubImage(report, *entry));
    return Status::kBusy;
  }
  operation_ = Operation::kNone;
  return Status::kOk;
}

/// What cannot be read counts as damaged, like what has the wrong digest.
Status JournaledStore::ScrubImage(ScrubReport& report, const Entry& entry) {
  if (hashed_bytes_ == 0) {
    // What cannot be read is found damaged below.
    if (ReadCipherStart(entry, start_) == Status::kBusy) return Status::kBusy;
  }
  const Status status = HashStored(entry, entry.size_bytes);
  if (status == Status::kBusy) return status;
  RecordBytes image;
  const Status record_status = ReadImageRecord(entry, image);
  if (record_status == Status::kBusy) return record_status;
  const crypto::Sha256Digest digest = hash_->Finish();
  ResetHash();
  scrub_index_ += 1;
  report.image_count += 1;
  const bool is_known = IsOk(record_status);
  if (IsOk(status) && is_known && AreEqual(digest, ImageDigestOf(image))) return Status::kOk;
  report.damaged_image_count += 1;
  if (is_known) report.damaged = ImageNameOf(image);
  if (!entry.is_candidate()) return Status::kOk;
  scrub_index_ -= 1;  // it leaves the list
  QueueTransition(Transition::kRevert, entry.name_hash);
  return Status::kOk;
}

}  // namespace ota::storage
