// SPDX-License-Identifier: Apache-2.0
// The half of JournaledStore that brings bytes into their place: staging and reading back.
#include <algorithm>

#include "base/units.h"
#include "storage/model_store/journaled_store.h"

namespace ota::storage {
namespace {

constexpr uint32_t kHashChunkBytes = 256;
constexpr uint32_t kHashStepBytes = KiB(4);  // hashed in one call
constexpr uint32_t kBlockBytesMin = KiB(4);  // made durable at once

}  // namespace

// --- staging

Status JournaledStore::Begin(const StageRequest& request) {
  if (!request.name.is_valid()) return Status::kNameInvalid;
  if (request.size_bytes == 0) return Status::kInvalidArgument;
  const uint32_t key = ComputeNameHash(request.name) ^ LoadLe32(request.digest.data());
  if (!IsUnderWay(Operation::kBegin, key)) {
    OTA_TRY(Settle());
    OTA_TRY(StartBegin(request, key));
  }
  return Drive();
}

Status JournaledStore::StartBegin(const StageRequest& request, uint32_t key) {
  const uint32_t hash = ComputeNameHash(request.name);
  for (const Entry& entry : entries_) {  // names of one hash cannot live side by side
    if (!entry.is_image() || entry.name_hash != hash) continue;
    OTA_TRY(const ImageBody body, ReadBody(entry));
    if (!(body.name == request.name)) return Status::kNameInvalid;
  }
  const Entry* const replaced = FindEntry(hash, ImageChoice::kCandidate);
  const bool gives_entry = (replaced != nullptr && replaced->open_count == 0) ||
                           (staging_ != nullptr && staging_->open_count == 0);
  if (!gives_entry && FindFreeEntry() == nullptr) return Status::kStorageFull;
  OTA_TRY(const uint32_t first, FindPlace(request.size_bytes, hash));
  RecordBytes record;
  EncodeImage(ImageBody{.state = ImageState::kStaging,
                        .place = first,
                        .size_bytes = request.size_bytes,
                        .sequence_number = request.sequence_number,
                        .digest = request.digest,
                        .name = request.name,
                        .nonce = journal_.next_sequence()},
              record);
  is_ready_ = has_failed_ = false;
  Start(Operation::kBegin, key);
  journal_.Queue(record);
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
    const ByteSpan part = bytes.subspan(
        accepted, std::min<size_t>(workspace_.size() - buffered, bytes.size() - accepted));
    std::copy(part.begin(), part.end(), workspace_.begin() + buffered);
    hash_.Update(part);
    if (cipher_ != nullptr) {
      cipher_->Apply(start_, taken_bytes_, workspace_.subspan(buffered, part.size()));
    }
    accepted += static_cast<uint32_t>(part.size());
    taken_bytes_ += static_cast<uint32_t>(part.size());
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
  OTA_TRY(ImageBody body, ReadBody(*staging_));
  body.durable_bytes = durable;
  RecordBytes record;
  EncodeImage(body, record);
  Start(Operation::kRecord, 0);
  journal_.Queue(record);
  return Drive();
}

Status JournaledStore::Resume() {
  if (staging_ == nullptr) return Status::kNotFound;
  if (is_ready_) return Status::kOk;
  if (!IsUnderWay(Operation::kResume, 0)) {
    OTA_TRY(Settle());
    OTA_TRY(start_, ReadCipherStart(*staging_));
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
  ImageBody body;
  return CompareDigest(FinishStep::kVerify, body);
}

Status JournaledStore::FinishVerifying() {
  OTA_TRY(HashStored(*staging_, staging_->size_bytes));
  ImageBody body;
  OTA_TRY(CompareDigest(FinishStep::kRecord, body));
  if (finish_step_ != FinishStep::kRecord) return Status::kOk;
  body.state = ImageState::kStaged;
  body.durable_bytes = body.size_bytes;
  RecordBytes record;
  EncodeImage(body, record);
  journal_.Queue(record);
  return Status::kOk;
}

/// Goes to step `next` if what was hashed is the image demanded; otherwise the image is dropped.
Status JournaledStore::CompareDigest(FinishStep next, ImageBody& body) {
  OTA_TRY(body, ReadBody(*staging_));
  const bool is_right = hash_.Finish() == body.digest;
  ResetHash();
  finish_step_ = is_right ? next : FinishStep::kDrop;
  if (!is_right) QueueTransition(Transition::kAbandon, 0);
  return Status::kOk;
}

// --- reading back

void JournaledStore::ResetHash() {
  hash_ = crypto::Sha256();
  hashed_bytes_ = 0;
}

Result<crypto::AesBlock> JournaledStore::ReadCipherStart(const Entry& entry) {
  if (cipher_ == nullptr) return crypto::AesBlock{};
  OTA_TRY(const ImageBody body, ReadBody(entry));
  return ComputeCipherStart(body);
}

Status JournaledStore::ReadPlain(const Entry& entry, const crypto::AesBlock& start, uint32_t offset,
                                 MutableByteSpan target) {
  OTA_TRY(ReadImage(entry, offset, target));
  if (cipher_ != nullptr) cipher_->Apply(start, offset, target);
  return Status::kOk;
}

/// Hashes the stored bytes up to `end`, some of them in each call. kBusy: not yet at the end.
Status JournaledStore::HashStored(const Entry& entry, uint32_t end) {
  const uint32_t step_end = std::min(end, hashed_bytes_ + kHashStepBytes);
  while (hashed_bytes_ < step_end) {
    uint8_t chunk[kHashChunkBytes];
    const MutableByteSpan part(chunk, std::min(kHashChunkBytes, step_end - hashed_bytes_));
    OTA_TRY(ReadPlain(entry, start_, hashed_bytes_, part));
    hash_.Update(part);
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
    const Result<crypto::AesBlock> start = ReadCipherStart(entry);
    if (start.status() == Status::kBusy) return Status::kBusy;
    if (start.ok()) start_ = *start;
  }
  const Status status = HashStored(entry, entry.size_bytes);
  if (status == Status::kBusy) return status;
  const Result<ImageBody> body = ReadBody(entry);
  if (body.status() == Status::kBusy) return Status::kBusy;
  const crypto::Sha256Digest digest = hash_.Finish();
  ResetHash();
  scrub_index_ += 1;
  report.image_count += 1;
  if (IsOk(status) && body.ok() && body->digest == digest) return Status::kOk;
  report.damaged_image_count += 1;
  if (body.ok()) report.damaged = body->name;
  if (!entry.is_candidate()) return Status::kOk;
  scrub_index_ -= 1;  // it leaves the list
  QueueTransition(Transition::kRevert, entry.name_hash);
  return Status::kOk;
}

}  // namespace ota::storage
