// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/freshness.h"

#include <algorithm>

#include "crypto/constant_time.h"
#include "formats/cbor/cbor_cursor.h"
#include "formats/cose/cose_sign1.h"

namespace ota::formats {
namespace {

constexpr uint8_t kExternalData[] = {'O', 'T', 'A', '-', 'T', 'i', 'n', 'y', 'M', 'L',
                                     ' ', 'f', 'r', 'e', 's', 'h', 'n', 'e', 's', 's'};

constexpr uint32_t kLeafMembers = 2;
constexpr uint32_t kLeafMembersWithLog = 4;

// The array of newest numbers, having checked that each is one.
void ReadNewest(CborCursor& cursor, ByteSpan& newest) {
  CborCursor items = cursor;
  cursor.ReadItem(newest);
  ComponentSequence sequence;
  for (uint32_t count = items.ReadArrayHead(kTrackedComponentsMax); count != 0; --count) {
    ReadSequence(items, sequence);
  }
  cursor.FailUnless(items.ok(), items.status());
}

void ReadLogHead(CborCursor& cursor, LogHead& log) {
  log.size = cursor.ReadNumber();
  cursor.ReadBytesOfSize(log.root, crypto::kSha256Bytes, Status::kCborOutOfRange);
  cursor.FailUnless(log.size != 0, Status::kCborOutOfRange);
}

ByteSpan FindFreshnessKey(const KeySet& keys, ByteSpan key_id) {
  for (size_t i = 0; i < keys.key_count; ++i) {
    if (AreEqual(ComputeKeyId(keys.keys[i]), key_id)) return keys.keys[i];
  }
  return {};
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
  CborCursor cursor(bytes);
  cursor.ReadArrayOf(4, Status::kCborTypeUnexpected);
  statement.time_s = cursor.ReadUnsigned();
  cursor.ReadBytesOfSize(statement.tree_root, crypto::kSha256Bytes, Status::kCborTypeUnexpected);
  statement.leaf_count = cursor.ReadNumber();
  statement.root_version = cursor.ReadNumber();
  return cursor.Finish();
}

Status DecodeFreshnessAnswer(ByteSpan bytes, FreshnessAnswer& answer) {
  CborCursor cursor(bytes);
  cursor.ReadArrayOf(4, Status::kCborTypeUnexpected);
  cursor.ReadBytes(answer.signed_statement);
  answer.leaf_index = cursor.ReadNumber();
  cursor.ReadBytes(answer.audit_path, kAuditPathHashesMax * crypto::kSha256Bytes);
  cursor.ReadBytes(answer.leaf);
  return cursor.Finish();
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

Status FreshnessVerification::CheckLeaf(const TrustState& state, ByteSpan leaf, ByteSpan nonce) {
  CborCursor cursor(leaf);
  ByteSpan answered;
  const uint32_t count = cursor.ReadArrayHead();
  cursor.ReadBytes(answered, kNonceBytesMax);
  ReadNewest(cursor, newest_);
  log_ = {};
  if (count == kLeafMembersWithLog) ReadLogHead(cursor, log_);
  OTA_TRY(cursor.Finish());
  if (count != kLeafMembers && count != kLeafMembersWithLog) return Status::kCborTypeUnexpected;
  const bool is_ours =
      nonce.size() >= kNonceBytesMin && crypto::AreEqualInConstantTime(answered, nonce);
  if (!is_ours) return Status::kNonceMismatch;
  if (statement_.time_s < state.trusted_time_s) return Status::kFreshnessStale;
  CborCursor items(newest_);
  for (uint32_t left = items.ReadArrayHead(); left != 0; --left) {
    ComponentSequence newest;
    ReadSequence(items, newest);
    const TrackedComponent known = FindTracked(state, newest.kind, newest.name);
    if (newest.sequence_number < known.newest_sequence) return Status::kFreshnessStale;
  }
  return Status::kOk;
}

Status FreshnessVerification::BeginSignature(const TrustState& state, const CoseSign1& message) {
  RootMetadata metadata;
  OTA_TRY(DecodeRootMetadata(state.root_metadata(), metadata));
  const ByteSpan key_bytes = FindFreshnessKey(metadata.freshness, message.key_id);
  // Which key counts may be what newer root metadata says.
  if (statement_.root_version > metadata.version) return Status::kRootOutdated;
  if (key_bytes.empty()) return Status::kSignerUnknown;
  if (statement_.root_version < metadata.version) return Status::kFreshnessStale;
  crypto::P256PublicKey key;
  std::copy(key_bytes.begin(), key_bytes.end(), key.begin());
  return verification_.Begin(
      key, ComputeSign1Digest(message.protected_header, kExternalData, message.payload),
      message.signature);
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
  const TrustState::Components before = state.components;
  const uint8_t count_before = state.component_count;
  CborCursor items(newest_);
  for (uint32_t count = items.ReadArrayHead(); count != 0; --count) {
    ComponentSequence newest;
    ReadSequence(items, newest);
    const Status raised =
        RaiseNewestSequence(state, newest.kind, newest.name, newest.sequence_number);
    if (IsOk(raised)) continue;
    state.components = before;
    state.component_count = count_before;
    return raised;
  }
  state.trusted_time_s = statement_.time_s;
  return Status::kOk;
}

Result<ComponentSequence> FreshnessVerification::FindNewest(uint32_t index) const {
  CborCursor items(newest_);
  if (index >= items.ReadArrayHead()) return Status::kOutOfRange;
  ComponentSequence newest;
  for (uint32_t i = 0; i <= index; ++i) ReadSequence(items, newest);
  OTA_TRY(items.status());
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
