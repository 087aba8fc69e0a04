// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/freshness.h"

#include "crypto/constant_time.h"
#include "formats/cbor/cbor_fields.h"
#include "formats/cose/cose_sign1.h"

namespace ota::formats {
namespace {

constexpr uint8_t kExternalData[] = {'O', 'T', 'A', '-', 'T', 'i', 'n', 'y', 'M', 'L',
                                     ' ', 'f', 'r', 'e', 's', 'h', 'n', 'e', 's', 's'};

constexpr uint32_t kLeafMembers = 2;
constexpr uint32_t kLeafMembersWithLog = 4;

constexpr auto kLeafTable = CborTable<
    CborStatuses(Status::kCborTypeUnexpected, Status::kCborOutOfRange),
    CborArray(kLeafMembers, kLeafMembersWithLog),
    CborBytes(OTA_CBOR_PLACE(FreshnessLeaf, nonce), kNonceBytesMax),
    CborItemsOf(OTA_CBOR_PLACE(FreshnessLeaf, newest), kTrackedComponentsMax), CborSpecial(0),
    kCborEnd, kCborIfLonger, kCborNotZero, CborNumber(OTA_CBOR_PLACE(FreshnessLeaf, log.size)),
    CborBytesOf(OTA_CBOR_PLACE(FreshnessLeaf, log.root), crypto::kSha256Bytes), kCborEnd>();

constexpr auto kStatementTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected), CborArray(4),
              CborNumber(OTA_CBOR_PLACE(FreshnessStatement, time_s)),
              CborBytesOf(OTA_CBOR_PLACE(FreshnessStatement, tree.root), crypto::kSha256Bytes),
              CborNumber(OTA_CBOR_PLACE(FreshnessStatement, tree.size)),
              CborNumber(OTA_CBOR_PLACE(FreshnessStatement, root_version)), kCborEnd>();

constexpr auto kAnswerTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected), CborArray(4),
              CborBytes(OTA_CBOR_PLACE(FreshnessAnswer, signed_statement)),
              CborNumber(OTA_CBOR_PLACE(FreshnessAnswer, leaf_index)),
              CborBytes(OTA_CBOR_PLACE(FreshnessAnswer, audit_path),
                        kAuditPathHashesMax* crypto::kSha256Bytes),
              CborBytes(OTA_CBOR_PLACE(FreshnessAnswer, leaf)), kCborEnd>();

}  // namespace

crypto::Sha256Digest ComputeStatementSigningDigest(ByteSpan statement) {
  return ComputeSign1Digest(Es256ProtectedHeader(), kExternalData, statement);
}

void WriteFreshnessStatement(CborWriter& writer, const FreshnessStatement& statement) {
  writer.WriteArrayHead(4);
  writer.WriteUnsigned(statement.time_s);
  writer.WriteBytes(statement.tree.root);
  writer.WriteUnsigned(statement.tree.size);
  writer.WriteUnsigned(statement.root_version);
}

void WriteFreshnessLeaf(CborWriter& writer, ByteSpan nonce,
                        std::span<const ComponentSequence> newest, const LogHead& log) {
  writer.WriteArrayHead(log.size == 0 ? kLeafMembers : kLeafMembersWithLog);
  writer.WriteBytes(nonce);
  writer.WriteArrayHead(newest.size());
  for (const ComponentSequence& sequence : newest) WriteSequence(writer, sequence);
  if (log.size == 0) return;
  writer.WriteUnsigned(log.size);
  writer.WriteBytes(log.root);
}

void WriteFreshnessAnswer(CborWriter& writer, const FreshnessAnswer& answer) {
  writer.WriteArrayHead(4);
  writer.WriteBytes(answer.signed_statement);
  writer.WriteUnsigned(answer.leaf_index);
  writer.WriteBytes(answer.audit_path);
  writer.WriteBytes(answer.leaf);
}

Status DecodeFreshnessStatement(ByteSpan bytes, FreshnessStatement& statement) {
  return DecodeFields(bytes, &statement, kStatementTable.data());
}

Status DecodeFreshnessAnswer(ByteSpan bytes, FreshnessAnswer& answer) {
  return DecodeFields(bytes, &answer, kAnswerTable.data());
}

Status FreshnessVerification::Begin(const TrustState& state, ByteSpan answer, ByteSpan nonce) {
  count_.Abandon();
  leaf_.log = {};
  CoseSign1 message;
  OTA_TRY(DecodeFields(answer, &answer_, kAnswerTable.data()));
  OTA_TRY(DecodeCoseSign1(answer_.signed_statement, message));
  OTA_TRY(DecodeFields(message.payload, &statement_, kStatementTable.data()));
  OTA_TRY(DecodeFields(answer_.leaf, &leaf_, kLeafTable.data(), ReadSequence));
  const bool is_ours =
      nonce.size() >= kNonceBytesMin && crypto::AreEqualInConstantTime(leaf_.nonce, nonce);
  if (!is_ours) return Status::kNonceMismatch;
  OTA_TRY(VerifyAuditPath(answer_.leaf, answer_.audit_path, answer_.leaf_index, statement_.tree));
  return CheckAge(state);
}

// Which keys count may be what newer root metadata says; so its version comes first.
Status FreshnessVerification::CheckAge(const TrustState& state) {
  RootMetadata metadata;
  OTA_TRY(DecodeHeldRoot(state, metadata));
  if (statement_.root_version > metadata.version) return Status::kRootOutdated;
  const bool is_stale =
      statement_.root_version < metadata.version || statement_.time_s < state.trusted_time_s;
  if (is_stale) return Status::kFreshnessStale;
  key_set_ = metadata.freshness;
  count_.Begin({{&answer_.signed_statement, 1}, {}, kExternalData});
  count_.AddKeySet(key_set_);
  return Status::kOk;
}

Status FreshnessVerification::Step(uint32_t operations_max, TrustState& state) {
  OTA_TRY(count_.Step(operations_max));
  if (!count_.has_any()) return count_.first_refusal();
  OTA_TRY(ChangeSequences(state, SequenceChange::kFollowNewest, leaf_.newest));
  state.trusted_time_s = statement_.time_s;
  return Status::kOk;
}

Result<ComponentSequence> FreshnessVerification::FindNewest(uint32_t index) const {
  CborItems items(leaf_.newest);
  if (!items.HasNextAfter(index)) return Status::kOutOfRange;
  ComponentSequence newest;
  (void)ReadSequence(items, 0, &newest);  // it was checked with the others
  return newest;
}

void TrustedTime::Set(uint64_t time_s, uint64_t asked_ms, uint64_t answered_ms) {
  time_s_ = time_s;
  answered_ms_ = answered_ms;
  uncertainty_ms_ = 1000 + (answered_ms - asked_ms);
}

uint64_t TrustedTime::earliest_s(uint64_t now_ms) const {
  return time_s_ == 0 ? 0 : time_s_ + (now_ms - answered_ms_) / 1000;
}

}  // namespace ota::formats
