// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/record.h"

#include <algorithm>
#include <iterator>

#include "crypto/sha256.h"

namespace ota::storage {
namespace {

constexpr uint32_t kMagic = 0x4A41544F;  // "OTAJ" in little endian

constexpr size_t kMagicAt = 16;
constexpr size_t kVersionAt = 20;
constexpr size_t kKindAt = 21;
constexpr size_t kStateAt = 22;
constexpr size_t kLengthAt = 23;
constexpr size_t kSequenceAt = 24;
constexpr size_t kBodyAt = 32;
constexpr size_t kImageDigestAt = 56;
constexpr size_t kNameAt = 88;
constexpr size_t kNonceAt = 120;

static_assert(kMagicAt == kRecordDigestBytes);
static_assert(kMagicAt + kKindPrefixBytes == kKindAt + 1);
static_assert(kBodyAt + kNoteBytesMax <= kRecordBytes);
static_assert(kImageDigestAt + crypto::kSha256Bytes == kNameAt);
static_assert(kNameAt + kModelNameBytesMax + 1 == kNonceAt);
static_assert(kNonceAt + 8 == kRecordBytes);

/// In the order in which they stand.
constexpr uint32_t SegmentBody::*const kSegmentFields[] = {
    &SegmentBody::segment_count, &SegmentBody::segment_bytes, &SegmentBody::erase_unit,
    &SegmentBody::program_unit,  &SegmentBody::size_bytes,    &SegmentBody::flags};
constexpr size_t kSegmentFieldCount = std::size(kSegmentFields);

void StartRecord(RecordKind kind, uint8_t state, size_t length, RecordBytes& record) {
  record.fill(0);
  StoreLe32(&record[kMagicAt], kMagic);
  record[kVersionAt] = kRecordVersion;
  record[kKindAt] = static_cast<uint8_t>(kind);
  record[kStateAt] = state;
  record[kLengthAt] = static_cast<uint8_t>(length);
}

crypto::Sha256Digest ComputeRecordDigest(const RecordBytes& record) {
  return crypto::ComputeSha256(ByteSpan(record).subspan(kRecordDigestBytes));
}

}  // namespace

void EncodeSegment(const SegmentBody& body, RecordBytes& record) {
  StartRecord(RecordKind::kSegment, 0, 0, record);
  for (size_t i = 0; i < kSegmentFieldCount; ++i) {
    StoreLe32(&record[kBodyAt + 4 * i], body.*kSegmentFields[i]);
  }
}

bool IsSegmentOf(const SegmentBody& body, const RecordBytes& record) {
  if (RecordKindOf(record) != RecordKind::kSegment) return false;
  for (size_t i = 0; i < kSegmentFieldCount; ++i) {
    if (LoadLe32(&record[kBodyAt + 4 * i]) != body.*kSegmentFields[i]) return false;
  }
  return true;
}

void EncodeImage(const StageRequest& request, uint32_t place, uint64_t nonce, RecordBytes& record) {
  const std::string_view name = request.name.view();
  StartRecord(RecordKind::kImage, static_cast<uint8_t>(ImageState::kStaging), name.size(), record);
  StoreLe32(&record[kBodyAt], place);
  StoreLe32(&record[kBodyAt + 4], request.size_bytes);
  StoreLe64(&record[kBodyAt + 16], request.sequence_number);
  std::copy(request.digest.begin(), request.digest.end(), &record[kImageDigestAt]);
  std::copy(name.begin(), name.end(), &record[kNameAt]);
  StoreLe64(&record[kNonceAt], nonce);
}

void EncodeTransition(Transition transition, uint32_t name_hash, RecordBytes& record) {
  StartRecord(RecordKind::kTransition, static_cast<uint8_t>(transition), 0, record);
  StoreLe32(&record[kBodyAt], name_hash);
}

void EncodeNote(uint8_t key, ByteSpan note, RecordBytes& record) {
  StartRecord(RecordKind::kNote, key, note.size(), record);
  std::copy(note.begin(), note.end(), &record[kBodyAt]);
}

void SealRecord(uint64_t sequence, RecordBytes& record) {
  StoreLe64(&record[kSequenceAt], sequence);
  const crypto::Sha256Digest digest = ComputeRecordDigest(record);
  std::copy_n(digest.begin(), kRecordDigestBytes, record.begin());
}

bool IsRecordValid(const RecordBytes& record) {
  if (LoadLe32(&record[kMagicAt]) != kMagic || record[kVersionAt] != kRecordVersion) return false;
  const crypto::Sha256Digest digest = ComputeRecordDigest(record);
  return std::equal(record.begin(), record.begin() + kRecordDigestBytes, digest.begin());
}

bool IsSegmentPrefix(std::span<const uint8_t, kKindPrefixBytes> prefix) {
  return LoadLe32(prefix.data()) == kMagic && prefix[4] == kRecordVersion &&
         prefix[5] == static_cast<uint8_t>(RecordKind::kSegment);
}

RecordKind RecordKindOf(const RecordBytes& record) {
  return static_cast<RecordKind>(record[kKindAt]);
}

Status VerifyImage(const RecordBytes& record) {
  const uint8_t state = record[kStateAt];
  const bool is_sound = state >= static_cast<uint8_t>(ImageState::kStaging) &&
                        state <= static_cast<uint8_t>(ImageState::kConfirmed) &&
                        record[kLengthAt] <= kModelNameBytesMax &&
                        ModelName(ImageNameOf(record)).is_valid() && ImageBytesOf(record) != 0 &&
                        DurableBytesOf(record) <= ImageBytesOf(record);
  return is_sound ? Status::kOk : Status::kCorrupted;
}

void PatchImageState(ImageState state, RecordBytes& record) {
  record[kStateAt] = static_cast<uint8_t>(state);
}

void PatchImageDurable(uint32_t durable_bytes, RecordBytes& record) {
  StoreLe32(&record[kBodyAt + 8], durable_bytes);
}

uint32_t ComputeNameHash(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash == 0 ? 1 : hash;
}

}  // namespace ota::storage
