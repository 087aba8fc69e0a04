// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/model_store/model_store.h"

// The records of the journal. Every byte is described in docs/formats/model_store.md. What lies on
// the medium is not trusted: a record counts only if its digest and its sequence are right.

namespace ota::storage {

inline constexpr size_t kRecordBytes = 128;
inline constexpr size_t kRecordDigestBytes = 16;
inline constexpr uint8_t kRecordVersion = 1;

using RecordBytes = std::array<uint8_t, kRecordBytes>;

enum class RecordKind : uint8_t {
  kSegment = 1,     ///< head of a segment; publishes all that stands in it
  kImage = 2,       ///< an image as it is now
  kTransition = 3,  ///< a change of state of one image or of all
  kNote = 4,        ///< a note as it is now
};

/// What a transition does; numbers are on the medium.
enum class Transition : uint8_t {
  kActivate = 1,
  kConfirm = 2,
  kRevert = 3,
  kDelete = 4,
  kAbandon = 5,
};

/// Body of a segment's head: the layout of the store, which must agree with the device's.
struct SegmentBody {
  uint32_t segment_count = 0;
  uint32_t segment_bytes = 0;
  uint32_t erase_unit = 0;
  uint32_t program_unit = 0;
  uint32_t size_bytes = 0;
  uint32_t flags = 0;  ///< bit 0: images are encrypted
};

/// Writing: fills in the body. Then Seal makes it a record.
void EncodeSegment(const SegmentBody& body, RecordBytes& record);
/// An image of which nothing is there yet.
void EncodeImage(const StageRequest& request, uint32_t place, uint64_t nonce, RecordBytes& record);
/// `name_hash` 0: all images in the state asked for.
void EncodeTransition(Transition transition, uint32_t name_hash, RecordBytes& record);
void EncodeNote(uint8_t key, ByteSpan note, RecordBytes& record);

/// Where a record belongs: in a generation of the journal, at a position; 0 for a head.
constexpr uint64_t SequenceAt(uint32_t generation, uint32_t position) {
  return (uint64_t{generation} << 16) | position;
}

constexpr uint32_t GenerationOf(uint64_t sequence) { return static_cast<uint32_t>(sequence >> 16); }

/// Gives the record its sequence and its digest, which must be the last thing to happen to it.
void SealRecord(uint64_t sequence, RecordBytes& record);

/// Whether the digest is right and the version known.
bool IsRecordValid(const RecordBytes& record);

/// Whether a record that goes on with these bytes behind its digest may be the head of a segment.
inline constexpr size_t kKindPrefixBytes = 6;
bool IsSegmentPrefix(std::span<const uint8_t, kKindPrefixBytes> prefix);

/// As sealed.
inline uint64_t SequenceOf(const RecordBytes& record) { return LoadLe64(&record[24]); }
RecordKind RecordKindOf(const RecordBytes& record);

/// Whether a valid record is the head of a segment of just this layout.
bool IsSegmentOf(const SegmentBody& body, const RecordBytes& record);

/// Whether all fields of a valid image record are in their ranges. kCorrupted: they are not.
Status VerifyImage(const RecordBytes& record);

// Fields of an image record; to be asked for only after VerifyImage.

inline ImageState ImageStateOf(const RecordBytes& record) {
  return static_cast<ImageState>(record[22]);
}
/// Where the bytes are. RawModelStore: first erase unit; FileModelStore: number of the file.
inline uint32_t ImagePlaceOf(const RecordBytes& record) { return LoadLe32(&record[32]); }
inline uint32_t ImageBytesOf(const RecordBytes& record) { return LoadLe32(&record[36]); }
inline uint32_t DurableBytesOf(const RecordBytes& record) { return LoadLe32(&record[40]); }
inline uint64_t SequenceNumberOf(const RecordBytes& record) { return LoadLe64(&record[48]); }
inline ByteSpan ImageDigestOf(const RecordBytes& record) {
  return {&record[56], crypto::kSha256Bytes};
}
inline std::string_view ImageNameOf(const RecordBytes& record) {
  return {reinterpret_cast<const char*>(&record[88]), record[23]};
}
/// Never the same for two images of a device.
inline uint64_t NonceOf(const RecordBytes& record) { return LoadLe64(&record[120]); }

/// Fields of a valid transition record. The transition may be none that is known.
inline Transition TransitionOf(const RecordBytes& record) {
  return static_cast<Transition>(record[22]);
}
inline uint32_t NameHashOf(const RecordBytes& record) { return LoadLe32(&record[32]); }

/// Whether all fields of a valid note record are in their ranges.
inline bool IsNoteSound(const RecordBytes& record) {
  return record[22] < kNoteKeyCount && record[23] <= kNoteBytesMax;
}
// Fields of a note record; to be asked for only if it is sound. No bytes: the note is gone.
inline uint8_t NoteKeyOf(const RecordBytes& record) { return record[22]; }
inline ByteSpan NoteBytesOf(const RecordBytes& record) { return {&record[32], record[23]}; }

/// Changes the state, or how much is durable, in an image record, which is to be sealed afterwards.
void PatchImageState(ImageState state, RecordBytes& record);
void PatchImageDurable(uint32_t durable_bytes, RecordBytes& record);

/// FNV-1a over the name; never 0. http://www.isthe.com/chongo/tech/comp/fnv/
uint32_t ComputeNameHash(std::string_view name);

}  // namespace ota::storage
