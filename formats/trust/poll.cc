// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/poll.h"

namespace ota::formats {
namespace {

constexpr uint64_t kVersion = 1;
constexpr uint64_t kWantsAll = 1;
constexpr uint64_t kWantsProof = 2;
constexpr uint32_t kQuestionMembers = 8;
constexpr uint32_t kOfferMembers = 3;
constexpr uint32_t kProvenOfferMembers = 5;

Status ReadVersion(CborReader& reader) {
  OTA_TRY(const uint64_t version, reader.ReadUnsigned(UINT32_MAX));
  return version == kVersion ? Status::kOk : Status::kCborOutOfRange;
}

Result<ByteSpan> ReadExactly(CborReader& reader, size_t size_bytes) {
  OTA_TRY(const ByteSpan bytes, reader.ReadBytes(size_bytes));
  if (bytes.size() != size_bytes) return Status::kCborOutOfRange;
  return bytes;
}

Status ReadIds(CborReader& reader, PollQuestion& question) {
  OTA_TRY(question.vendor_id, ReadExactly(reader, kUuidBytes));
  OTA_TRY(const uint32_t count, reader.ReadArrayHead(kClassIdsMax));
  if (count == 0) return Status::kCborOutOfRange;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(question.class_ids[i], ReadExactly(reader, kUuidBytes));
  }
  question.class_id_count = static_cast<uint8_t>(count);
  OTA_TRY(question.device_id, reader.ReadBytes(kUuidBytes));
  const bool is_id = question.device_id.empty() || question.device_id.size() == kUuidBytes;
  return is_id ? Status::kOk : Status::kCborOutOfRange;
}

Result<ByteSpan> ReadComponents(CborReader& reader) {
  CborReader items = reader;
  OTA_TRY(const uint32_t count, items.ReadArrayHead(kTrackedComponentsMax));
  for (uint32_t i = 0; i < count; ++i) OTA_TRY(ReadSequence(items));
  return reader.ReadItem();
}

Result<PollOffer> ReadOffer(CborReader& reader) {
  PollOffer offer;
  OTA_TRY(const uint32_t members, reader.ReadArrayHead(kProvenOfferMembers));
  if (members != kOfferMembers && members != kProvenOfferMembers) return Status::kCborOutOfRange;
  OTA_TRY(const uint64_t newest_index, reader.ReadUnsigned(kTrackedComponentsMax - 1));
  OTA_TRY(const uint64_t envelope_bytes, reader.ReadUnsigned(UINT32_MAX));
  OTA_TRY(offer.envelope_digest, ReadExactly(reader, crypto::kSha256Bytes));
  offer.newest_index = static_cast<uint32_t>(newest_index);
  offer.envelope_bytes = static_cast<uint32_t>(envelope_bytes);
  if (members == kOfferMembers) return offer;
  OTA_TRY(const uint64_t log_index, reader.ReadUnsigned(UINT32_MAX));
  OTA_TRY(offer.log_path, reader.ReadBytes(kAuditPathHashesMax * crypto::kSha256Bytes));
  if (offer.log_path.size() % crypto::kSha256Bytes != 0) return Status::kCborOutOfRange;
  offer.log_index = static_cast<uint32_t>(log_index);
  return offer;
}

void WriteOffer(CborWriter& writer, const PollOffer& offer) {
  writer.WriteArrayHead(offer.log_index.has_value() ? kProvenOfferMembers : kOfferMembers);
  writer.WriteUnsigned(offer.newest_index);
  writer.WriteUnsigned(offer.envelope_bytes);
  writer.WriteBytes(offer.envelope_digest);
  if (!offer.log_index.has_value()) return;
  writer.WriteUnsigned(*offer.log_index);
  writer.WriteBytes(offer.log_path);
}

}  // namespace

Result<PollQuestion> DecodePollQuestion(ByteSpan bytes) {
  CborReader reader(bytes);
  PollQuestion question;
  OTA_TRY(const uint32_t members, reader.ReadArrayHead());
  if (members != kQuestionMembers) return Status::kCborTypeUnexpected;
  OTA_TRY(ReadVersion(reader));
  OTA_TRY(ReadIds(reader, question));
  OTA_TRY(question.nonce, reader.ReadBytes(kNonceBytesMax));
  if (question.nonce.size() < kNonceBytesMin) return Status::kCborOutOfRange;
  OTA_TRY(const uint64_t root_version, reader.ReadUnsigned(UINT32_MAX));
  OTA_TRY(const uint64_t flags, reader.ReadUnsigned(kWantsAll | kWantsProof));
  OTA_TRY(question.components, ReadComponents(reader));
  OTA_TRY(reader.Finish());
  question.root_version = static_cast<uint32_t>(root_version);
  question.wants_all = (flags & kWantsAll) != 0;
  question.wants_proof = (flags & kWantsProof) != 0;
  return question;
}

void WritePollQuestion(CborWriter& writer, const PollQuestion& question) {
  writer.WriteArrayHead(kQuestionMembers);
  writer.WriteUnsigned(kVersion);
  writer.WriteBytes(question.vendor_id);
  writer.WriteArrayHead(question.class_id_count);
  for (size_t i = 0; i < question.class_id_count; ++i) writer.WriteBytes(question.class_ids[i]);
  writer.WriteBytes(question.device_id);
  writer.WriteBytes(question.nonce);
  writer.WriteUnsigned(question.root_version);
  writer.WriteUnsigned((question.wants_all ? kWantsAll : 0) |
                       (question.wants_proof ? kWantsProof : 0));
  writer.WriteEncoded(question.components);
}

Result<PollAnswer> DecodePollAnswer(ByteSpan bytes) {
  CborReader reader(bytes);
  PollAnswer answer;
  OTA_TRY(const uint32_t members, reader.ReadArrayHead());
  if (members != 3) return Status::kCborTypeUnexpected;
  OTA_TRY(ReadVersion(reader));
  OTA_TRY(answer.freshness, reader.ReadBytes());
  CborReader items = reader;
  OTA_TRY(answer.offer_count, items.ReadArrayHead(kTrackedComponentsMax));
  for (uint32_t i = 0; i < answer.offer_count; ++i) OTA_TRY(ReadOffer(items));
  OTA_TRY(answer.offers, reader.ReadItem());
  OTA_TRY(reader.Finish());
  return answer;
}

Result<PollOffer> FindPollOffer(const PollAnswer& answer, uint32_t index) {
  CborReader reader(answer.offers);
  OTA_TRY(reader.ReadArrayHead());
  for (uint32_t i = 0; i < index; ++i) OTA_TRY(ReadOffer(reader));
  return ReadOffer(reader);
}

void WritePollAnswer(CborWriter& writer, ByteSpan freshness, std::span<const PollOffer> offers) {
  writer.WriteArrayHead(3);
  writer.WriteUnsigned(kVersion);
  writer.WriteBytes(freshness);
  writer.WriteArrayHead(offers.size());
  for (const PollOffer& offer : offers) WriteOffer(writer, offer);
}

Status VerifyLogProof(const PollOffer& offer, const LogHead& log, ByteSpan envelope) {
  if (!offer.log_index.has_value() || log.size == 0) return Status::kNotLogged;
  const Status status = VerifyAuditPath(ComputeLeafHash(envelope), *offer.log_index, log.size,
                                        offer.log_path, log.root);
  return IsOk(status) ? Status::kOk : Status::kNotLogged;
}

}  // namespace ota::formats
