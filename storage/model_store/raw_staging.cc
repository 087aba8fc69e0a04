// SPDX-License-Identifier: Apache-2.0
// The half of RawModelStore that brings bytes into slots: space, staging, reading back.
#include <algorithm>

#include "base/units.h"
#include "storage/block_device/aligned_read.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::storage {
namespace {

constexpr uint32_t kHashChunkBytes = 256;
constexpr uint32_t kHashStepBytes = KiB(4);  // hashed in one call
constexpr uint32_t kBlockBytesMin = KiB(4);  // made durable at once
constexpr uint32_t kBlockCountMax = 64;

}  // namespace

// --- space

uint32_t RawModelStore::end_unit() const {
  return device_.geometry().size_bytes / device_.geometry().erase_unit;
}

uint32_t RawModelStore::UnitCount(uint32_t size_bytes) const {
  const uint32_t unit = device_.geometry().erase_unit;
  return size_bytes / unit + (size_bytes % unit == 0 ? 0 : 1);
}

uint32_t RawModelStore::NeededBytes(uint32_t size_bytes) const {
  return UnitCount(size_bytes) * device_.geometry().erase_unit;
}

/// The first slot in [first, end) that is taken, leaving out what an image of `replacing_hash` that
/// is being staged would replace.
const RawModelStore::Entry* RawModelStore::FindBlocking(uint32_t first, uint32_t end,
                                                        uint32_t replacing_hash) const {
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.state == EntryState::kFree) continue;
    const bool is_replaced =
        entry.open_count == 0 && entry.is_candidate() && replacing_hash != 0 &&
        (entry.name_hash == replacing_hash || entry.state == EntryState::kStaging);
    const bool is_apart =
        entry.first_unit >= end || entry.first_unit + UnitCount(entry.size_bytes) <= first;
    if (is_replaced || is_apart) continue;
    if (found == nullptr || entry.first_unit < found->first_unit) found = &entry;
  }
  return found;
}

/// The first free run from the cursor on, which goes round the device.
Result<uint32_t> RawModelStore::FindSlot(uint32_t unit_count, uint32_t replacing_hash) const {
  const uint32_t starts[] = {std::max(cursor_unit_, first_unit()), first_unit()};
  for (const uint32_t start : starts) {
    uint32_t first = start;
    while (IsInBounds(first, unit_count, end_unit())) {
      const Entry* const entry = FindBlocking(first, first + unit_count, replacing_hash);
      if (entry == nullptr) return first;
      first = entry->first_unit + UnitCount(entry->size_bytes);
    }
  }
  return Status::kStorageFull;
}

StoreSpace RawModelStore::space() {
  const uint32_t unit = device_.geometry().erase_unit;
  StoreSpace space{.total_bytes = device_.geometry().size_bytes - journal_.size_bytes()};
  for (uint32_t first = first_unit(); first < end_unit();) {
    const Entry* const entry = FindBlocking(first, end_unit(), 0);
    const uint32_t end = entry == nullptr ? end_unit() : std::max(first, entry->first_unit);
    space.free_bytes += (end - first) * unit;
    space.largest_free_bytes = std::max(space.largest_free_bytes, (end - first) * unit);
    first = entry == nullptr ? end : entry->first_unit + UnitCount(entry->size_bytes);
  }
  return space;
}

// --- staging

Status RawModelStore::Begin(const StageRequest& request) {
  if (!request.name.is_valid()) return Status::kNameInvalid;
  if (request.size_bytes == 0) return Status::kInvalidArgument;
  const uint32_t key = ComputeNameHash(request.name) ^ LoadLe32(request.digest.data());
  if (!IsUnderWay(Operation::kBegin, key)) {
    OTA_TRY(Settle());
    OTA_TRY(StartBegin(request, key));
  }
  return Drive();
}

Status RawModelStore::StartBegin(const StageRequest& request, uint32_t key) {
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
  OTA_TRY(const uint32_t first, FindSlot(UnitCount(request.size_bytes), hash));
  RecordBytes record;
  EncodeImage(ImageBody{.state = ImageState::kStaging,
                        .first_unit = first,
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

uint32_t RawModelStore::staged_bytes() const { return staging_ == nullptr ? 0 : taken_bytes_; }

Result<uint32_t> RawModelStore::Append(ByteSpan bytes) {
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
    accepted += static_cast<uint32_t>(part.size());
    taken_bytes_ += static_cast<uint32_t>(part.size());
  }
  return accepted;
}

/// Remembers that the medium failed the image in staging.
Status RawModelStore::Watch(Status status) {
  has_failed_ = !IsOk(status) && status != Status::kBusy;
  return status;
}

/// Programs the workspace when it is full or holds the image's end. kOk: it has room again.
Status RawModelStore::WriteBuffered() {
  if (has_failed_) return Status::kMediumFailed;
  const uint32_t buffered = taken_bytes_ - programmed_bytes_;
  const bool is_end = taken_bytes_ == staging_->size_bytes;
  if (buffered == workspace_.size() || (is_end && buffered != 0)) {
    const Geometry& geometry = device_.geometry();
    OTA_TRY(EraseAhead());
    const uint32_t length = RoundUp(buffered, geometry.program_unit);
    std::fill_n(workspace_.begin() + buffered, length - buffered, geometry.erased_value);
    const uint32_t offset = staging_->first_unit * geometry.erase_unit + programmed_bytes_;
    OTA_TRY(Watch(device_.Program(offset, workspace_.first(length))));
    programmed_bytes_ = taken_bytes_;
  }
  return MarkProgress();
}

Status RawModelStore::EraseAhead() {
  const Geometry& geometry = device_.geometry();
  while (geometry.needs_erase && erased_bytes_ < taken_bytes_) {
    const uint32_t offset = staging_->first_unit * geometry.erase_unit + erased_bytes_;
    OTA_TRY(Watch(device_.Erase(offset, geometry.erase_unit)));
    erased_bytes_ += geometry.erase_unit;
  }
  return Status::kOk;
}

/// Makes a record of how much is durable, now and then. A resume starts at an erase unit, because
/// what a cut left behind must be erased.
Status RawModelStore::MarkProgress() {
  const Geometry& geometry = device_.geometry();
  const uint32_t step =
      geometry.needs_erase ? geometry.erase_unit : static_cast<uint32_t>(workspace_.size());
  const uint32_t block =
      RoundUp(std::max(staging_->size_bytes / kBlockCountMax, kBlockBytesMin), step);
  const uint32_t durable = programmed_bytes_ - programmed_bytes_ % step;
  if (programmed_bytes_ == staging_->size_bytes || durable < durable_bytes_ + block) {
    return Status::kOk;
  }
  OTA_TRY(Watch(device_.Sync()));
  OTA_TRY(ImageBody body, ReadBody(*staging_));
  body.durable_bytes = durable;
  RecordBytes record;
  EncodeImage(body, record);
  Start(Operation::kRecord, 0);
  journal_.Queue(record);
  return Drive();
}

Status RawModelStore::Resume() {
  if (staging_ == nullptr) return Status::kNotFound;
  if (is_ready_) return Status::kOk;
  if (!IsUnderWay(Operation::kResume, 0)) {
    OTA_TRY(Settle());
    ResetHash();
    Start(Operation::kResume, 0);
  }
  return Drive();
}

Status RawModelStore::DriveResume() {
  OTA_TRY(HashStored(*staging_, durable_bytes_));
  taken_bytes_ = programmed_bytes_ = erased_bytes_ = durable_bytes_;
  is_ready_ = true;
  has_failed_ = false;
  return Status::kOk;
}

Status RawModelStore::Finish() {
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

Status RawModelStore::DriveFinish() {
  if (finish_step_ == FinishStep::kWrite) OTA_TRY(FinishWriting());
  if (finish_step_ == FinishStep::kVerify) OTA_TRY(FinishVerifying());
  const bool is_dropped = finish_step_ == FinishStep::kDrop;
  OTA_TRY(DriveRecord());
  return is_dropped ? Status::kDigestMismatch : Status::kOk;
}

Status RawModelStore::FinishWriting() {
  OTA_TRY(WriteBuffered());
  OTA_TRY(Watch(device_.Sync()));
  ImageBody body;
  return CompareDigest(FinishStep::kVerify, body);
}

Status RawModelStore::FinishVerifying() {
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
Status RawModelStore::CompareDigest(FinishStep next, ImageBody& body) {
  OTA_TRY(body, ReadBody(*staging_));
  const bool is_right = hash_.Finish() == body.digest;
  ResetHash();
  finish_step_ = is_right ? next : FinishStep::kDrop;
  if (!is_right) QueueTransition(Transition::kAbandon, 0);
  return Status::kOk;
}

// --- reading back

void RawModelStore::ResetHash() {
  hash_ = crypto::Sha256();
  hashed_bytes_ = 0;
}

/// Hashes the stored bytes up to `end`, some of them in each call. kBusy: not yet at the end.
Status RawModelStore::HashStored(const Entry& entry, uint32_t end) {
  const uint32_t step_end = std::min(end, hashed_bytes_ + kHashStepBytes);
  while (hashed_bytes_ < step_end) {
    uint8_t chunk[kHashChunkBytes];
    const MutableByteSpan part(chunk, std::min(kHashChunkBytes, step_end - hashed_bytes_));
    OTA_TRY(ReadImage(entry, hashed_bytes_, part));
    hash_.Update(part);
    hashed_bytes_ += static_cast<uint32_t>(part.size());
  }
  return hashed_bytes_ == end ? Status::kOk : Status::kBusy;
}

Status RawModelStore::ReadImage(const Entry& entry, uint32_t offset, MutableByteSpan target) {
  return ReadUnaligned(device_, entry.first_unit * device_.geometry().erase_unit + offset, target);
}

Status RawModelStore::Scrub(ScrubReport& report) {
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
Status RawModelStore::ScrubImage(ScrubReport& report, const Entry& entry) {
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
