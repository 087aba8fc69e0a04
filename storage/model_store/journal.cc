// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/journal.h"

#include <algorithm>
#include <array>

#include "base/units.h"
#include "storage/block_device/aligned_read.h"
#include "storage/model_store/journaled_store.h"

namespace ota::storage {
namespace {

constexpr uint32_t kFrontCount = 2;  // units to cancel with, or marks
constexpr uint32_t kCancelWordBytes = 4;
constexpr int kReadAttempts = 4;  // a weakly programmed record may read right the second time
constexpr uint32_t kMissesMax = 2;
constexpr uint32_t kSegmentCountMax = 4;

/// As the journal uses it, whatever the device claims.
uint32_t ProgramUnitOf(const Geometry& geometry) {
  return std::clamp<uint32_t>(geometry.program_unit, 1, kProgramUnitMax);
}

uint32_t RecordStride(const Geometry& geometry) {
  return RoundUp(kRecordBytes, ProgramUnitOf(geometry));
}

/// What stands in front of the head.
uint32_t FrontBytes(const Geometry& geometry) {
  const uint32_t cancel_bytes = RoundUp(kCancelWordBytes, ProgramUnitOf(geometry));
  return kFrontCount * (geometry.needs_erase ? cancel_bytes : RecordStride(geometry));
}

/// What a segment takes besides its records. Where nothing is erased that is one record more than
/// it needs: were the ring a whole number of full segments, all would start at the same few places.
uint32_t HeadBytes(const Geometry& geometry) {
  const uint32_t mark_bytes = RoundUp(kRecordDigestBytes, ProgramUnitOf(geometry));
  const uint32_t stride = RecordStride(geometry);
  return FrontBytes(geometry) + stride + (geometry.needs_erase ? mark_bytes : stride);
}

}  // namespace

uint32_t Journal::ComputeSegmentBytes(const Geometry& geometry, uint32_t image_count_max) {
  const uint32_t record_count = image_count_max == 8 ? 24 : 64;
  return RoundUp(HeadBytes(geometry) + record_count * RecordStride(geometry),
                 std::max<uint32_t>(geometry.erase_unit, 1));
}

Status Journal::LayOut() {
  const uint32_t unit = geometry_.program_unit;
  if (unit == 0 || unit > kProgramUnitMax || geometry_.erase_unit < unit ||
      geometry_.read_unit > kReadUnitMax) {
    return Status::kNotSupported;
  }
  record_stride_ = RecordStride(geometry_);
  head_at_ = FrontBytes(geometry_);
  records_at_ = head_at_ + record_stride_;
  if (geometry_.needs_erase) {
    mark_at_ = records_at_;
    records_at_ = HeadBytes(geometry_);
  }
  layout_.segment_bytes = ComputeSegmentBytes(geometry_, image_count_max_);
  if (layout_.segment_count == 0) {
    const uint32_t share = geometry_.size_bytes / 8 / layout_.segment_bytes;
    layout_.segment_count = std::min(share, kSegmentCountMax);
  }
  layout_.segment_count = std::max<uint32_t>(layout_.segment_count, 2);
  layout_.erase_unit = geometry_.erase_unit;
  layout_.program_unit = unit;
  layout_.size_bytes = geometry_.size_bytes;
  const uint32_t room = layout_.segment_bytes - HeadBytes(geometry_);
  capacity_ = std::min<uint32_t>(room / record_stride_, 0xFFFF);
  start_stride_ = geometry_.needs_erase ? layout_.segment_bytes : record_stride_;
  ring_bytes_ = size_bytes() / start_stride_ * start_stride_;
  const bool has_room = layout_.segment_count <= geometry_.size_bytes / layout_.segment_bytes &&
                        size_bytes() + geometry_.erase_unit <= geometry_.size_bytes;
  return has_room ? Status::kOk : Status::kNotSupported;
}

/// Where what stands `at` bytes behind the start of a segment lies on the device.
uint32_t Journal::OffsetOf(uint32_t segment, uint32_t at) const {
  return (segment + at) % ring_bytes_;
}

uint32_t Journal::RecordOffset(uint32_t segment, uint32_t position) const {
  return OffsetOf(segment, records_at_ + position * record_stride_);
}

// --- finding what is there

/// Whether a unit in front of the head was programmed to cancel, or is a mark. One that cannot be
/// read, torn on a medium with error correction, was programmed, but is no mark.
Status Journal::ReadFront(uint32_t offset, const RecordBytes& head, bool& is_set) {
  if (!geometry_.needs_erase) return ReadMark(offset, head, is_set);
  std::array<uint8_t, kCancelWordBytes> word;
  const Status status = ReadUnaligned(device_, offset, word);
  if (status == Status::kBusy) return status;
  is_set = !IsOk(status) || LoadLe32(word.data()) != geometry_.erased_value * 0x01010101u;
  return Status::kOk;
}

Status Journal::ReadSegmentState(uint32_t segment, SegmentState& state) {
  const uint32_t head_offset = OffsetOf(segment, head_at_);
  std::array<uint8_t, kKindPrefixBytes> prefix;  // most places hold other records
  OTA_TRY(ReadUnaligned(device_, head_offset + kRecordDigestBytes, prefix));
  if (!IsSegmentPrefix(prefix)) return Status::kCorrupted;
  RecordBytes head;
  OTA_TRY(ReadUnaligned(device_, head_offset, head));
  if (!IsRecordValid(head)) return Status::kCorrupted;
  if (!IsSegmentOf(layout_, head)) return Status::kNotSupported;
  state.generation = GenerationOf(SequenceOf(head));
  OTA_TRY(ReadMark(OffsetOf(segment, mark_at_), head, state.has_mark));
  for (uint32_t at = 0; at < head_at_; at += head_at_ / kFrontCount) {
    bool is_set = false;
    OTA_TRY(ReadFront(OffsetOf(segment, at), head, is_set));
    bool& state_of_front = geometry_.needs_erase ? state.is_cancelled : state.has_mark;
    state_of_front = state_of_front || is_set;
  }
  return Status::kOk;
}

Status Journal::ReadMark(uint32_t offset, const RecordBytes& head, bool& is_mark) {
  std::array<uint8_t, kRecordDigestBytes> mark;
  const Status status = ReadUnaligned(device_, offset, mark);
  if (status == Status::kBusy) return status;
  is_mark = IsOk(status) && std::equal(mark.begin(), mark.end(), head.begin());
  return Status::kOk;
}

Status Journal::Mount() {
  OTA_TRY(LayOut());
  step_ = Step::kIdle;
  is_fresh_ = true;
  Status reason = Status::kCorrupted;
  SegmentState chosen;
  int chosen_rank = -1;
  for (uint32_t segment = 0; segment < ring_bytes_; segment += start_stride_) {
    SegmentState state;
    const Status status = ReadSegmentState(segment, state);
    if (status == Status::kBusy) return status;
    if (!IsOk(status)) {
      if (status != Status::kCorrupted) reason = status;
      continue;
    }
    // Newest of the published; else oldest of the unpublished; else newest of the cancelled.
    const int rank = state.is_cancelled ? 0 : state.has_mark ? 2 : 1;
    const bool is_newer = state.generation > chosen.generation;
    if (rank > chosen_rank || (rank == chosen_rank && is_newer == (rank != 1))) {
      chosen = state;
      chosen_rank = rank;
      segment_ = segment;
    }
  }
  if (chosen_rank < 0) return reason;
  generation_ = chosen.generation;
  return Replay();
}

Status Journal::Replay() {
  uint32_t miss_count = 0;
  next_position_ = 0;
  for (uint32_t position = 0; position < capacity_ && miss_count < kMissesMax; ++position) {
    RecordBytes record;
    const Status status = ReadRecordAt(segment_, SequenceAt(generation_, position), record);
    if (status == Status::kBusy) return status;
    miss_count = IsOk(status) ? 0 : miss_count + 1;
    if (!IsOk(status)) continue;
    store_.TakeRecord(static_cast<uint16_t>(position), record);
    next_position_ = static_cast<uint16_t>(position + 1);
  }
  return Status::kOk;
}

Status Journal::ReadRecordAt(uint32_t segment, uint64_t sequence, RecordBytes& record) {
  OTA_TRY(ReadUnaligned(device_, RecordOffset(segment, static_cast<uint16_t>(sequence)), record));
  const bool is_valid = IsRecordValid(record) && SequenceOf(record) == sequence;
  return is_valid ? Status::kOk : Status::kCorrupted;
}

Status Journal::ReadRecord(uint16_t position, RecordBytes& record) {
  Status status = Status::kCorrupted;
  for (int attempt = 0; attempt < kReadAttempts && !IsOk(status); ++attempt) {
    status = ReadRecordAt(segment_, SequenceAt(generation_, position), record);
    if (status == Status::kBusy) return status;
  }
  return status;
}

// --- writing

Status Journal::Format() {
  OTA_TRY(LayOut());
  if (step_ == Step::kIdle) {
    step_ = Step::kClear;
    target_ = 0;
    progress_ = 0;
    generation_ = 0;
  }
  while (step_ != Step::kPublished) {
    const Status status = DriveStep();
    if (status == Status::kBusy) return status;
    if (!IsOk(status)) return Fail(status);
  }
  step_ = Step::kIdle;
  return Status::kOk;
}

void Journal::Queue() {
  assert(step_ == Step::kIdle);
  failure_count_ = 0;
  skipped_count_ = 0;
  step_ = Step::kStart;
}

Status Journal::Drive() {
  while (step_ != Step::kIdle) {
    const Status status = DriveStep();
    if (status == Status::kBusy) return status;
    if (IsOk(status)) continue;
    // A segment that cannot be written is left; the next one of the ring is tried.
    const bool is_target = step_ < Step::kMarkAgain;
    if (status != Status::kMediumFailed || ++failure_count_ > layout_.segment_count) {
      return Fail(status);
    }
    if (is_target) ++skipped_count_;
    is_fresh_ = true;
    step_ = Step::kStart;
  }
  return Status::kOk;
}

Status Journal::Fail(Status status) {
  step_ = Step::kIdle;
  is_fresh_ = true;
  return status;
}

Status Journal::DriveStep() {
  if (step_ != Step::kCopy) OTA_TRY(device_.Sync());
  switch (step_) {
    case Step::kIdle:
      return Status::kOk;
    case Step::kStart:
      return ChooseTarget();
    case Step::kMarkAgain:
      OTA_TRY(ProgramMark(segment_));
      step_ = Step::kMarkedAgain;
      return Status::kOk;
    case Step::kCancel:
      OTA_TRY(ProgramFirst(target_, 0, head_at_, RecordBytes{}));
      [[fallthrough]];
    case Step::kMarkedAgain:
      step_ = Step::kErase;
      return Status::kOk;
    case Step::kErase:
    case Step::kClear:
      return EraseNext();
    case Step::kCopy:
      return CopyNext();
    case Step::kCopied:
      return PublishHead();
    case Step::kHead:
      OTA_TRY(ProgramMark(target_));
      step_ = Step::kMark;
      return Status::kOk;
    case Step::kMark:
      step_ = Step::kPublished;
      segment_ = target_;
      generation_ += 1;
      next_position_ = static_cast<uint16_t>(progress_);
      is_fresh_ = false;
      store_.MarkMoved();
      return Status::kOk;
    case Step::kPublished:
      StartAppend();
      return Status::kOk;
    case Step::kAppend:
      OTA_TRY(ProgramPadded(RecordOffset(segment_, next_position_), queued_));
      step_ = Step::kVerify;
      return Status::kOk;
    case Step::kVerify:
      return VerifyAppended();
  }
  return Status::kWrongState;
}

void Journal::StartAppend() {
  SealRecord(SequenceAt(generation_, next_position_), queued_);
  step_ = Step::kAppend;
}

Status Journal::ChooseTarget() {
  if (!is_fresh_ && next_position_ < capacity_) {
    StartAppend();
    return Status::kOk;
  }
  uint32_t distance = layout_.segment_bytes;
  uint32_t skipped = distance;
  if (!geometry_.needs_erase) {
    distance = records_at_ + next_position_ * record_stride_;
    skipped = records_at_ + store_.live_count() * record_stride_;
  }
  distance += skipped_count_ * skipped;
  if (distance + layout_.segment_bytes > ring_bytes_) return Status::kMediumFailed;
  target_ = OffsetOf(segment_, distance);
  progress_ = 0;
  // What cannot be marked again is left as it was found.
  const bool is_found = is_fresh_ && failure_count_ == 0;
  step_ = geometry_.needs_erase ? Step::kCancel : is_found ? Step::kMarkAgain : Step::kErase;
  return Status::kOk;
}

/// Programs the first of the units from `first` to `end` that is not set, so that none is
/// programmed twice and no mark is put at risk. One that a cut has touched may look erased and be
/// refused.
Status Journal::ProgramFirst(uint32_t segment, uint32_t first, uint32_t end,
                             const RecordBytes& bytes) {
  const bool is_cancel = geometry_.needs_erase && first == 0;
  for (uint32_t at = first; at < end; at += head_at_ / kFrontCount) {
    const uint32_t offset = OffsetOf(segment, at);
    bool is_set = false;
    OTA_TRY(ReadFront(offset, bytes, is_set));
    if (is_set) continue;
    const Status status = ProgramPadded(
        offset, ByteSpan(bytes).first(is_cancel ? kCancelWordBytes : kRecordDigestBytes));
    if (status != Status::kNotErased) return status;
  }
  return first == 0 ? Status::kOk : Status::kMediumFailed;
}

/// Where no erase is needed, only marks and head are cleared, in this order: records are bound to
/// their generation. Format clears all, since it starts the generations anew.
Status Journal::EraseNext() {
  const bool is_clear = step_ == Step::kClear;
  const uint32_t end = is_clear                ? ring_bytes_
                       : geometry_.needs_erase ? layout_.segment_bytes
                                               : records_at_;
  if (progress_ < end) {
    const uint32_t offset = OffsetOf(target_, progress_);
    OTA_TRY(geometry_.needs_erase ? device_.Erase(offset, geometry_.erase_unit)
                                  : ProgramPadded(offset, RecordBytes{}));
    progress_ += geometry_.needs_erase ? geometry_.erase_unit : record_stride_;
    return Status::kOk;
  }
  progress_ = 0;
  step_ = is_clear ? Step::kCopied : Step::kCopy;
  return Status::kOk;
}

Status Journal::CopyNext() {
  const auto index = static_cast<uint16_t>(progress_);
  if (index >= store_.live_count()) {
    step_ = Step::kCopied;
    return Status::kOk;
  }
  RecordBytes record;
  OTA_TRY(ReadRecord(store_.live_position(index), record));
  store_.RefreshRecord(index, record);
  SealRecord(SequenceAt(generation_ + 1, index), record);
  OTA_TRY(ProgramPadded(RecordOffset(target_, progress_), record));
  progress_ += 1;
  return Status::kOk;
}

Status Journal::PublishHead() {
  RecordBytes head;
  for (uint16_t index = 0; index < progress_; ++index) {  // what cannot be read is not published
    if (Status status = ReadRecordAt(target_, SequenceAt(generation_ + 1, index), head);
        !IsOk(status)) {
      return status == Status::kBusy ? status : Status::kMediumFailed;
    }
  }
  EncodeSegment(layout_, head);
  SealRecord(SequenceAt(generation_ + 1, 0), head);
  OTA_TRY(ProgramPadded(OffsetOf(target_, head_at_), head));
  step_ = Step::kHead;
  return Status::kOk;
}

Status Journal::ProgramMark(uint32_t segment) {
  RecordBytes head;
  const Status status = ReadUnaligned(device_, OffsetOf(segment, head_at_), head);
  if (status == Status::kBusy) return status;
  if (!IsOk(status) || !IsRecordValid(head)) return Status::kMediumFailed;
  return ProgramFirst(segment, mark_at_, std::max(mark_at_ + 1, head_at_), head);
}

Status Journal::VerifyAppended() {
  RecordBytes record;
  const Status status = ReadRecordAt(segment_, SequenceAt(generation_, next_position_), record);
  if (status == Status::kBusy) return status;
  if (!IsOk(status)) return Status::kMediumFailed;
  last_position_ = next_position_++;
  step_ = Step::kIdle;
  return Status::kOk;
}

Status Journal::ProgramPadded(uint32_t offset, ByteSpan bytes) {
  uint8_t padded[kProgramUnitMax];
  const uint32_t length = RoundUp(static_cast<uint32_t>(bytes.size()), geometry_.program_unit);
  std::fill_n(std::copy(bytes.begin(), bytes.end(), padded), length - bytes.size(),
              geometry_.erased_value);
  return device_.Program(offset, ByteSpan(padded, length));
}

}  // namespace ota::storage
