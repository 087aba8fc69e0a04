// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "storage/block_device/block_device.h"
#include "storage/model_store/record.h"

// The journal: a ring of segments at the start of a block device, in one of which records are
// appended. When a segment is full, and before the first record after each Mount, what is live is
// copied into the next segment of the ring, which then is published by its head. Where nothing is
// erased the next segment starts behind the last record of this one, so that all of the ring is
// written equally often.
//
// What holds whenever power is lost:
//  - a segment is written by one session only, in order: only its last record can be torn, and
//    nothing is ever programmed where a cut may have left a weakly programmed unit;
//  - the segment that is in use is not touched before the next one is published; a segment is
//    cancelled before it is erased, so that a half erased one is never taken for the newest;
//  - a segment is published in two steps, head and then mark. Without its mark it counts only if no
//    other segment does: so a head that reads differently twice is never built upon alone.
// Where nothing is erased there is no cancelling: what was found is marked once more instead,
// before anything older is written over; and each generation begins one record further on, so that
// no place is written more often than others. docs/formats/model_store.md tells why each of these
// is needed, and every byte.

namespace ota::storage {

inline constexpr uint32_t kProgramUnitMax = 512;

class JournaledStore;

/// Asks its store which records are live, and tells it those that it finds.
class Journal {
 public:
  /// `device`, whose geometry is `geometry`, and `store` must outlive it. `image_count_max` is 8 or
  /// 32, and decides how many records a segment has. `segment_count` 0: by the device's size.
  Journal(BlockDevice& device, const Geometry& geometry, JournaledStore& store,
          uint32_t image_count_max, uint32_t segment_count)
      : device_(device),
        geometry_(geometry),
        store_(store),
        layout_{.segment_count = segment_count},
        image_count_max_(image_count_max) {}

  /// How long a segment is.
  static uint32_t ComputeSegmentBytes(const Geometry& geometry, uint32_t image_count_max);

  /// Lays the segments out; to be called before all else. kNotSupported: the device is too small,
  /// or its units are too large.
  Status LayOut();

  /// Finds the segment in use and gives its records to the store. Statuses as ModelStore::Mount.
  Status Mount();

  /// Makes all segments empty, step by step, and publishes the first. kBusy: call again.
  Status Format();

  /// Where the next record to be appended is made. The journal must not be busy.
  RecordBytes& draft() { return queued_; }

  /// Takes what draft() holds as the record to be appended.
  void Queue();

  /// Goes on with the queued record. kOk: it is on the medium, at last_position(). kBusy: call
  /// again. kMediumFailed: it may be there or not; Mount tells. kCorrupted: a live record could not
  /// be copied; nothing was changed, Mount tells what is left.
  Status Drive();

  bool is_busy() const { return step_ != Step::kIdle; }
  uint16_t last_position() const { return last_position_; }
  const RecordBytes& queued() const { return queued_; }

  /// Reads the record at `position` of the segment in use. kBusy, kMediumFailed. kCorrupted: it is
  /// not valid.
  Status ReadRecord(uint16_t position, RecordBytes& record);

  const Geometry& geometry() const { return geometry_; }

  /// Bytes at the start of the device that the journal takes.
  uint32_t size_bytes() const { return layout_.segment_count * layout_.segment_bytes; }
  uint32_t capacity() const { return capacity_; }
  uint32_t image_count_max() const { return image_count_max_; }

  /// Grows with each record written to this device, and is never the same for two: its nonce.
  uint64_t next_sequence() const {
    return is_fresh_ ? SequenceAt(generation_ + 1, 0) : SequenceAt(generation_, next_position_);
  }

  /// Part of the layout that is the caller's: bit 0 encryption.
  void set_flags(uint32_t flags) { layout_.flags = flags; }

 private:
  enum class Step : uint8_t {
    kIdle,
    kStart,
    kCancel,
    kErase,
    kCopy,
    kCopied,
    kHead,
    kMark,
    kPublished,
    kMarkAgain,  ///< from here on what fails is not the target
    kMarkedAgain,
    kAppend,
    kVerify,
    kClear,  ///< of Format
  };
  struct SegmentState {
    uint32_t generation = 0;
    bool has_head = false;
    bool has_mark = false;
    bool is_cancelled = false;
  };

  Status ReadSegmentState(uint32_t segment, SegmentState& state);
  Status ReadFront(uint32_t offset, const RecordBytes& head, bool& is_set);
  Status ReadMark(uint32_t offset, const RecordBytes& head, bool& is_mark);
  Status ReadRecordAt(uint32_t segment, uint64_t sequence, RecordBytes& record);
  Status Replay();

  Status DriveStep();
  void StartAppend();
  Status ChooseTarget();
  Status ProgramFirst(uint32_t segment, uint32_t first, uint32_t end, const RecordBytes& bytes);
  Status EraseNext();
  Status CopyNext();
  Status PublishHead();
  Status ProgramMark(uint32_t segment);
  Status VerifyAppended();
  Status Fail(Status status);

  Status ProgramPadded(uint32_t offset, ByteSpan bytes);
  uint32_t OffsetOf(uint32_t segment, uint32_t at) const;
  uint32_t RecordOffset(uint32_t segment, uint32_t position) const;

  BlockDevice& device_;
  const Geometry& geometry_;
  JournaledStore& store_;
  // Small things first, since instructions that reach them are shorter.
  Step step_ = Step::kIdle;
  bool is_fresh_ = true;       ///< nothing was written since Mount
  uint8_t failure_count_ = 0;  ///< for the queued record
  uint8_t skipped_count_ = 0;  ///< segments that could not be written
  uint16_t next_position_ = 0;
  uint16_t last_position_ = 0;

  SegmentBody layout_;
  uint32_t image_count_max_ = 0;
  uint32_t record_stride_ = 0;
  uint32_t head_at_ = 0;  ///< behind where a segment begins
  uint32_t mark_at_ = 0;
  uint32_t records_at_ = 0;
  uint32_t start_stride_ = 0;  ///< a segment starts at a multiple of it
  uint32_t ring_bytes_ = 0;
  uint32_t capacity_ = 0;

  uint32_t segment_ = 0;  ///< where the one in use starts, in bytes
  uint32_t generation_ = 0;
  uint32_t target_ = 0;
  uint32_t progress_ = 0;  ///< of erasing, in bytes; of copying, in records
  RecordBytes queued_;
};

}  // namespace ota::storage
