// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

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

/// Body of an image record.
struct ImageBody {
  ImageState state = ImageState::kStaging;
  uint32_t place = 0;  ///< of the bytes: RawModelStore: first erase unit; FileModelStore: number
  uint32_t size_bytes = 0;
  uint32_t durable_bytes = 0;
  uint64_t sequence_number = 0;
  crypto::Sha256Digest digest{};
  ModelName name;
  uint64_t nonce = 0;  ///< never the same for two images of a device
};

/// Body of a transition.
struct TransitionBody {
  Transition transition = Transition::kActivate;
  uint32_t name_hash = 0;  ///< 0: all images in the state asked for
};

/// Writing: fills in the body. Then Seal makes it a record.
void EncodeSegment(const SegmentBody& body, RecordBytes& record);
void EncodeImage(const ImageBody& body, RecordBytes& record);
void EncodeTransition(const TransitionBody& body, RecordBytes& record);
void EncodeNote(uint8_t key, ByteSpan note, RecordBytes& record);

/// Gives the record its sequence and its digest, which must be the last thing to happen to it.
void SealRecord(uint64_t sequence, RecordBytes& record);

/// Whether the digest is right and the version known.
bool IsRecordValid(const RecordBytes& record);

uint64_t RecordSequence(const RecordBytes& record);
RecordKind RecordKindOf(const RecordBytes& record);

/// Whether a valid record is the head of a segment of just this layout.
bool IsSegmentOf(const SegmentBody& body, const RecordBytes& record);

/// Reading of a valid record of that kind. kCorrupted: a field is out of its range.
Result<ImageBody> DecodeImage(const RecordBytes& record);
Result<TransitionBody> DecodeTransition(const RecordBytes& record);
Result<ByteSpan> DecodeNote(const RecordBytes& record);  ///< a part of `record`; empty: gone
uint8_t NoteKey(const RecordBytes& record);

/// Changes the state in an image record, which is to be sealed afterwards.
void PatchImageState(ImageState state, RecordBytes& record);

/// FNV-1a over the name; never 0. http://www.isthe.com/chongo/tech/comp/fnv/
uint32_t ComputeNameHash(const ModelName& name);

}  // namespace ota::storage
