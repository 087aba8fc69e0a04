// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/poll.h"

namespace ota::formats {
namespace {

constexpr uint64_t kVersion = 1;
constexpr uint32_t kWantsAll = 1;
constexpr uint32_t kWantsProof = 2;
constexpr uint32_t kQuestionMembers = 8;
constexpr uint32_t kOfferMembers = 3;
constexpr uint32_t kProvenOfferMembers = 5;

void ReadVersion(CborFieldReader& cursor) {
  cursor.FailUnless(cursor.ReadUnsigned() == kVersion, Status::kCborOutOfRange);
}

void ReadIds(CborFieldReader& cursor, PollQuestion& question) {
  cursor.ReadBytesOfSize(question.vendor_id, kUuidBytes, Status::kCborOutOfRange);
  const uint32_t count = cursor.ReadArrayHead(kClassIdsMax);
  cursor.FailUnless(count != 0, Status::kCborOutOfRange);
  for (uint32_t i = 0; i < count; ++i) {
    cursor.ReadBytesOfSize(question.class_ids[i], kUuidBytes, Status::kCborOutOfRange);
  }
  question.class_id_count = static_cast<uint8_t>(count);
  cursor.ReadBytes(question.device_id, kUuidBytes);
  cursor.FailUnless(question.device_id.empty() || question.device_id.size() == kUuidBytes,
                    Status::kCborOutOfRange);
}

void ReadComponents(CborFieldReader& cursor, ByteSpan& components) {
  CborFieldReader items = cursor;
  ComponentSequence sequence;
  for (uint32_t count = items.ReadArrayHead(kTrackedComponentsMax); count != 0; --count) {
    ReadSequence(items, sequence);
  }
  cursor.ReadItem(components);
  cursor.FailUnless(items.ok(), items.status());
}

void ReadOffer(CborFieldReader& cursor, PollOffer& offer) {
  const uint32_t members = cursor.ReadArrayHead(kProvenOfferMembers);
  cursor.FailUnless(members == kOfferMembers || members == kProvenOfferMembers,
                    Status::kCborOutOfRange);
  offer.newest_index = cursor.ReadNumber(kTrackedComponentsMax - 1);
  offer.envelope_bytes = cursor.ReadNumber();
  cursor.ReadBytesOfSize(offer.envelope_digest, crypto::kSha256Bytes, Status::kCborOutOfRange);
  if (members != kProvenOfferMembers) return;
  offer.log_index = cursor.ReadNumber();
  cursor.ReadBytes(offer.log_path, kAuditPathHashesMax * crypto::kSha256Bytes);
  cursor.FailUnless(offer.log_path.size() % crypto::kSha256Bytes == 0, Status::kCborOutOfRange);
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
  CborFieldReader cursor(bytes);
  PollQuestion question;
  cursor.ReadArrayOf(kQuestionMembers, Status::kCborTypeUnexpected);
  ReadVersion(cursor);
  ReadIds(cursor, question);
  cursor.ReadBytes(question.nonce, kNonceBytesMax);
  cursor.FailUnless(question.nonce.size() >= kNonceBytesMin, Status::kCborOutOfRange);
  question.root_version = cursor.ReadNumber();
  const uint32_t flags = cursor.ReadNumber(kWantsAll | kWantsProof);
  ReadComponents(cursor, question.components);
  OTA_TRY(cursor.Finish());
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
  CborFieldReader cursor(bytes);
  PollAnswer answer;
  cursor.ReadArrayOf(3, Status::kCborTypeUnexpected);
  ReadVersion(cursor);
  cursor.ReadBytes(answer.freshness);
  CborFieldReader items = cursor;
  answer.offer_count = items.ReadArrayHead(kTrackedComponentsMax);
  for (uint32_t i = 0; i < answer.offer_count; ++i) {
    PollOffer offer;
    ReadOffer(items, offer);
  }
  cursor.ReadItem(answer.offers);
  cursor.FailUnless(items.ok(), items.status());
  OTA_TRY(cursor.Finish());
  return answer;
}

Result<PollOffer> FindPollOffer(const PollAnswer& answer, uint32_t index) {
  CborFieldReader cursor(answer.offers);
  cursor.FailUnless(index < cursor.ReadArrayHead(), Status::kCborMalformed);
  PollOffer offer;
  for (uint32_t i = 0; i <= index && cursor.ok(); ++i) {
    offer = {};
    ReadOffer(cursor, offer);
  }
  OTA_TRY(cursor.status());
  return offer;
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
