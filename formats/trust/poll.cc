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

struct Question {
  PollQuestion question;
  uint8_t flags = 0;
};

constexpr auto kQuestionTable = CborTable<
    CborStatuses(Status::kCborTypeUnexpected), CborArray(kQuestionMembers),
    CborStatuses(Status::kCborOutOfRange), CborEqual(kVersion),
    CborBytesOf(OTA_CBOR_PLACE(Question, question.vendor_id), kUuidBytes), kCborNotZero,
    CborListOf(OTA_CBOR_PLACE(Question, question.class_id_count), kClassIdsMax),
    CborElements(OTA_CBOR_PLACE(Question, question.class_ids)), CborBytesOf({}, kUuidBytes),
    kCborEnd, CborBytes(OTA_CBOR_PLACE(Question, question.device_id), kUuidBytes),
    CborLeast(kNonceBytesMin), CborBytes(OTA_CBOR_PLACE(Question, question.nonce), kNonceBytesMax),
    CborNumber(OTA_CBOR_PLACE(Question, question.root_version)),
    CborNumber(OTA_CBOR_PLACE(Question, flags), kWantsAll | kWantsProof),
    CborItemsOf(OTA_CBOR_PLACE(Question, question.components), kTrackedComponentsMax),
    CborSpecial(0), kCborEnd, kCborEnd>();

constexpr auto kOfferTable =
    CborTable<CborStatuses(Status::kCborOutOfRange), CborArray(kOfferMembers, kProvenOfferMembers),
              CborNumber(OTA_CBOR_PLACE(PollOffer, newest_index), kTrackedComponentsMax - 1),
              CborNumber(OTA_CBOR_PLACE(PollOffer, envelope_bytes)),
              CborBytesOf(OTA_CBOR_PLACE(PollOffer, envelope_digest), crypto::kSha256Bytes),
              kCborIfLonger, CborNumber(OTA_CBOR_PLACE(PollOffer, log_index)),
              CborBytes(OTA_CBOR_PLACE(PollOffer, log_path),
                        kAuditPathHashesMax* crypto::kSha256Bytes),
              kCborEnd>();
static_assert(sizeof(PollOffer) <= kCborScratchBytes);

constexpr auto kAnswerTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected), CborArray(3),
              CborStatuses(Status::kCborOutOfRange), CborEqual(kVersion),
              CborBytes(OTA_CBOR_PLACE(PollAnswer, freshness)),
              CborItemsOf(OTA_CBOR_PLACE(PollAnswer, offers), kTrackedComponentsMax),
              CborSpecial(0), kCborEnd, kCborEnd>();

bool ReadOffer(CborFieldReader& reader, uint32_t, void* target) {
  reader.Read(kOfferTable.data(), target);
  return static_cast<PollOffer*>(target)->log_path.size() % crypto::kSha256Bytes == 0;
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
  Question read;
  OTA_TRY(DecodeFields(bytes, &read, kQuestionTable.data(), ReadSequence));
  PollQuestion& question = read.question;
  const bool is_id = question.device_id.empty() || question.device_id.size() == kUuidBytes;
  if (!is_id) return Status::kCborOutOfRange;
  question.wants_all = (read.flags & kWantsAll) != 0;
  question.wants_proof = (read.flags & kWantsProof) != 0;
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

Status DecodePollAnswer(ByteSpan bytes, PollAnswer& answer) {
  return DecodeFields(bytes, &answer, kAnswerTable.data(), ReadOffer);
}

Status FindPollOffer(const PollAnswer& answer, uint32_t index, PollOffer& offer) {
  CborItems items(answer.offers);
  if (!items.HasNextAfter(index)) return Status::kOutOfRange;
  offer = {};
  (void)ReadOffer(items, 0, &offer);  // it was checked with the others
  return Status::kOk;
}

void WritePollAnswer(CborWriter& writer, ByteSpan freshness, std::span<const PollOffer> offers) {
  writer.WriteArrayHead(3);
  writer.WriteUnsigned(kVersion);
  writer.WriteBytes(freshness);
  writer.WriteArrayHead(offers.size());
  for (const PollOffer& offer : offers) WriteOffer(writer, offer);
}

Status VerifyLogProof(const PollOffer& offer, const LogHead& log, ByteSpan envelope) {
  const bool is_logged = offer.log_index.has_value() &&
                         IsOk(VerifyAuditPath(envelope, offer.log_path, *offer.log_index, log));
  return is_logged ? Status::kOk : Status::kNotLogged;
}

}  // namespace ota::formats
