// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/freshness.h"

#include <algorithm>

#include "crypto/constant_time.h"
#include "formats/cbor/cbor_fields.h"
#include "formats/cose/cose_sign1.h"

namespace ota::formats {
namespace {

constexpr uint8_t kExternalData[] = {'O', 'T', 'A', '-', 'T', 'i', 'n', 'y', 'M', 'L',
                                     ' ', 'f', 'r', 'e', 's', 'h', 'n', 'e', 's', 's'};

constexpr uint32_t kLeafMembers = 2;
constexpr uint32_t kLeafMembersWithLog = 4;
constexpr uint8_t kLeafWithLogHead = 0x84;

struct Leaf {
  ByteSpan nonce;
  ByteSpan newest;
  LogHead log;
};

constexpr auto kLeafTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected, Status::kCborOutOfRange),
              CborArray(kLeafMembers), CborBytes(OTA_CBOR_PLACE(Leaf, nonce), kNonceBytesMax),
              CborItemsOf(OTA_CBOR_PLACE(Leaf, newest), kTrackedComponentsMax), CborSpecial(0),
              kCborEnd, kCborEnd>();

constexpr auto kLeafWithLogTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected, Status::kCborOutOfRange),
              CborArray(kLeafMembersWithLog),
              CborBytes(OTA_CBOR_PLACE(Leaf, nonce), kNonceBytesMax),
              CborItemsOf(OTA_CBOR_PLACE(Leaf, newest), kTrackedComponentsMax), CborSpecial(0),
              kCborEnd, kCborNotZero, CborNumber(OTA_CBOR_PLACE(Leaf, log.size)),
              CborBytesOf(OTA_CBOR_PLACE(Leaf, log.root), crypto::kSha256Bytes), kCborEnd>();

constexpr auto kStatementTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected), CborArray(4),
              CborNumber(OTA_CBOR_PLACE(FreshnessStatement, time_s)),
              CborBytesOf(OTA_CBOR_PLACE(FreshnessStatement, tree_root), crypto::kSha256Bytes),
              CborNumber(OTA_CBOR_PLACE(FreshnessStatement, leaf_count)),
              CborNumber(OTA_CBOR_PLACE(FreshnessStatement, root_version)), kCborEnd>();

constexpr auto kAnswerTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected), CborArray(4),
              CborBytes(OTA_CBOR_PLACE(FreshnessAnswer, signed_statement)),
              CborNumber(OTA_CBOR_PLACE(FreshnessAnswer, leaf_index)),
              CborBytes(OTA_CBOR_PLACE(FreshnessAnswer, audit_path),
                        kAuditPathHashesMax* crypto::kSha256Bytes),
              CborBytes(OTA_CBOR_PLACE(FreshnessAnswer, leaf)), kCborEnd>();

// One of the newest numbers.
void ReadNewest(CborFieldReader& reader, uint32_t, void* target) {
  ReadSequence(reader, *static_cast<ComponentSequence*>(target));
}

Status DecodeLeaf(ByteSpan bytes, Leaf& leaf) {
  const bool has_log = !bytes.empty() && bytes[0] == kLeafWithLogHead;
  return DecodeFields(bytes, &leaf, has_log ? kLeafWithLogTable.data() : kLeafTable.data(),
                      ReadNewest);
}

}  // namespace

crypto::Sha256Digest ComputeStatementSigningDigest(ByteSpan statement) {
  return ComputeSign1Digest(Es256ProtectedHeader(), kExternalData, statement);
}

void WriteFreshnessStatement(CborWriter& writer, const FreshnessStatement& statement) {
  writer.WriteArrayHead(4);
  writer.WriteUnsigned(statement.time_s);
  writer.WriteBytes(statement.tree_root);
  writer.WriteUnsigned(statement.leaf_count);
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

Status FreshnessVerification::Begin(const TrustState& state, ByteSpan answer_bytes,
                                    ByteSpan nonce) {
  is_in_progress_ = false;
  FreshnessAnswer answer;
  CoseSign1 message;
  OTA_TRY(DecodeFreshnessAnswer(answer_bytes, answer));
  OTA_TRY(DecodeCoseSign1(answer.signed_statement, message));
  if (message.is_detached) return Status::kCborTypeUnexpected;
  OTA_TRY(DecodeFreshnessStatement(message.payload, statement_));
  OTA_TRY(CheckLeaf(state, answer.leaf, nonce));
  OTA_TRY(VerifyAuditPath(ComputeLeafHash(answer.leaf), answer.leaf_index, statement_.leaf_count,
                          answer.audit_path, statement_.tree_root));
  OTA_TRY(BeginSignature(state, message));
  is_in_progress_ = true;
  return Status::kOk;
}

Status FreshnessVerification::CheckLeaf(const TrustState& state, ByteSpan bytes, ByteSpan nonce) {
  Leaf leaf;
  OTA_TRY(DecodeLeaf(bytes, leaf));
  newest_ = leaf.newest;
  log_ = leaf.log;
  const bool is_ours =
      nonce.size() >= kNonceBytesMin && crypto::AreEqualInConstantTime(leaf.nonce, nonce);
  if (!is_ours) return Status::kNonceMismatch;
  if (statement_.time_s < state.trusted_time_s) return Status::kFreshnessStale;
  for (CborItems items(newest_); items.HasNext();) {
    ComponentSequence newest;
    ReadSequence(items, newest);
    const TrackedComponent known = FindTracked(state, newest.kind, newest.name);
    if (newest.sequence_number < known.newest_sequence) return Status::kFreshnessStale;
  }
  return Status::kOk;
}

Status FreshnessVerification::BeginSignature(const TrustState& state, const CoseSign1& message) {
  RootMetadata metadata;
  OTA_TRY(DecodeHeldRoot(state, metadata));
  const ByteSpan key = FindKey(metadata.freshness, message.key_id);
  // Which key counts may be what newer root metadata says.
  if (statement_.root_version > metadata.version) return Status::kRootOutdated;
  if (key.empty()) return Status::kSignerUnknown;
  if (statement_.root_version < metadata.version) return Status::kFreshnessStale;
  return BeginSign1(verification_, key, message, kExternalData);
}

Status FreshnessVerification::Step(uint32_t operations_max, TrustState& state) {
  if (!is_in_progress_) return Status::kWrongState;
  const Status status = verification_.Step(operations_max);
  if (status == Status::kBusy) return status;
  is_in_progress_ = false;
  OTA_TRY(status);
  return Apply(state);
}

Status FreshnessVerification::Apply(TrustState& state) const {
  OTA_TRY(ChangeSequences(state, SequenceChange::kRaiseNewest, newest_));
  state.trusted_time_s = statement_.time_s;
  return Status::kOk;
}

Result<ComponentSequence> FreshnessVerification::FindNewest(uint32_t index) const {
  CborItems items(newest_);
  ComponentSequence newest;
  for (uint32_t i = 0; i <= index; ++i) {
    if (!items.HasNext()) return Status::kOutOfRange;
    ReadSequence(items, newest);
  }
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
