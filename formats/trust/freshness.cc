// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/freshness.h"

#include <algorithm>

#include "crypto/constant_time.h"
#include "formats/cbor/cbor_reader.h"
#include "formats/cose/cose_sign1.h"

namespace ota::formats {
namespace {

constexpr uint8_t kExternalData[] = {'O', 'T', 'A', '-', 'T', 'i', 'n', 'y', 'M', 'L',
                                     ' ', 'f', 'r', 'e', 's', 'h', 'n', 'e', 's', 's'};

constexpr uint32_t kLeafMembers = 2;
constexpr uint32_t kLeafMembersWithLog = 4;

// The array of newest numbers, having checked that each is one.
Result<ByteSpan> ReadNewest(CborReader& reader) {
  CborReader items = reader;
  OTA_TRY(const ByteSpan encoded, reader.ReadItem());
  OTA_TRY(const uint32_t count, items.ReadArrayHead(kTrackedComponentsMax));
  for (uint32_t i = 0; i < count; ++i) OTA_TRY(ReadSequence(items));
  return encoded;
}

Result<LogHead> ReadLogHead(CborReader& reader) {
  LogHead log;
  OTA_TRY(const uint64_t size, reader.ReadUnsigned(UINT32_MAX));
  OTA_TRY(log.root, reader.ReadBytes(crypto::kSha256Bytes));
  if (size == 0 || log.root.size() != crypto::kSha256Bytes) return Status::kCborOutOfRange;
  log.size = static_cast<uint32_t>(size);
  return log;
}

Result<ByteSpan> FindFreshnessKey(const KeySet& keys, ByteSpan key_id) {
  for (size_t i = 0; i < keys.key_count; ++i) {
    const KeyId id = ComputeKeyId(keys.keys[i]);
    if (std::equal(id.begin(), id.end(), key_id.begin(), key_id.end())) return keys.keys[i];
  }
  return Status::kSignerUnknown;
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

Result<FreshnessStatement> DecodeFreshnessStatement(ByteSpan bytes) {
  CborReader reader(bytes);
  FreshnessStatement statement;
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  OTA_TRY(statement.time_s, reader.ReadUnsigned());
  OTA_TRY(statement.tree_root, reader.ReadBytes(crypto::kSha256Bytes));
  OTA_TRY(const uint64_t leaf_count, reader.ReadUnsigned(UINT32_MAX));
  OTA_TRY(const uint64_t root_version, reader.ReadUnsigned(UINT32_MAX));
  OTA_TRY(reader.Finish());
  if (count != 4 || statement.tree_root.size() != crypto::kSha256Bytes) {
    return Status::kCborTypeUnexpected;
  }
  statement.leaf_count = static_cast<uint32_t>(leaf_count);
  statement.root_version = static_cast<uint32_t>(root_version);
  return statement;
}

Result<FreshnessAnswer> DecodeFreshnessAnswer(ByteSpan bytes) {
  CborReader reader(bytes);
  FreshnessAnswer answer;
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  OTA_TRY(answer.signed_statement, reader.ReadBytes());
  OTA_TRY(const uint64_t index, reader.ReadUnsigned(UINT32_MAX));
  OTA_TRY(answer.audit_path, reader.ReadBytes(kAuditPathHashesMax * crypto::kSha256Bytes));
  OTA_TRY(answer.leaf, reader.ReadBytes());
  OTA_TRY(reader.Finish());
  if (count != 4) return Status::kCborTypeUnexpected;
  answer.leaf_index = static_cast<uint32_t>(index);
  return answer;
}

Status FreshnessVerification::Begin(const TrustState& state, ByteSpan answer_bytes,
                                    ByteSpan nonce) {
  is_in_progress_ = false;
  OTA_TRY(const FreshnessAnswer answer, DecodeFreshnessAnswer(answer_bytes));
  OTA_TRY(const CoseSign1 message, DecodeCoseSign1(answer.signed_statement));
  if (message.is_detached) return Status::kCborTypeUnexpected;
  OTA_TRY(statement_, DecodeFreshnessStatement(message.payload));
  OTA_TRY(CheckLeaf(state, answer.leaf, nonce));
  OTA_TRY(VerifyAuditPath(ComputeLeafHash(answer.leaf), answer.leaf_index, statement_.leaf_count,
                          answer.audit_path, statement_.tree_root));
  OTA_TRY(BeginSignature(state, answer.signed_statement));
  is_in_progress_ = true;
  return Status::kOk;
}

Status FreshnessVerification::CheckLeaf(const TrustState& state, ByteSpan leaf, ByteSpan nonce) {
  CborReader reader(leaf);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  OTA_TRY(const ByteSpan answered, reader.ReadBytes(kNonceBytesMax));
  OTA_TRY(newest_, ReadNewest(reader));
  log_ = {};
  if (count == kLeafMembersWithLog) {
    OTA_TRY(log_, ReadLogHead(reader));
  }
  OTA_TRY(reader.Finish());
  if (count != kLeafMembers && count != kLeafMembersWithLog) return Status::kCborTypeUnexpected;
  const bool is_ours =
      nonce.size() >= kNonceBytesMin && crypto::AreEqualInConstantTime(answered, nonce);
  if (!is_ours) return Status::kNonceMismatch;
  if (statement_.time_s < state.trusted_time_s) return Status::kFreshnessStale;
  CborReader items(newest_);
  OTA_TRY(const uint32_t newest_count, items.ReadArrayHead());
  for (uint32_t i = 0; i < newest_count; ++i) {
    OTA_TRY(const ComponentSequence newest, ReadSequence(items));
    const TrackedComponent known = FindTracked(state, newest.kind, newest.name);
    if (newest.sequence_number < known.newest_sequence) return Status::kFreshnessStale;
  }
  return Status::kOk;
}

Status FreshnessVerification::BeginSignature(const TrustState& state, ByteSpan signed_statement) {
  OTA_TRY(const CoseSign1 message, DecodeCoseSign1(signed_statement));
  OTA_TRY(const RootMetadata metadata, DecodeRootMetadata(state.root_metadata()));
  const Result<ByteSpan> key_bytes = FindFreshnessKey(metadata.freshness, message.key_id);
  // Which key counts may be what newer root metadata says.
  if (statement_.root_version > metadata.version) return Status::kRootOutdated;
  OTA_TRY(key_bytes);
  if (statement_.root_version < metadata.version) return Status::kFreshnessStale;
  crypto::P256PublicKey key;
  std::copy(key_bytes->begin(), key_bytes->end(), key.begin());
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
  CborReader items(newest_);
  OTA_TRY(const uint32_t count, items.ReadArrayHead());
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const ComponentSequence newest, ReadSequence(items));
    const Status raised =
        RaiseNewestSequence(state, newest.kind, newest.name, newest.sequence_number);
    if (raised == Status::kOk) continue;
    state.components = before;
    state.component_count = count_before;
    return raised;
  }
  state.trusted_time_s = statement_.time_s;
  return Status::kOk;
}

Result<ComponentSequence> FreshnessVerification::FindNewest(uint32_t index) const {
  CborReader items(newest_);
  OTA_TRY(const uint32_t count, items.ReadArrayHead());
  if (index >= count) return Status::kOutOfRange;
  for (uint32_t i = 0; i < index; ++i) OTA_TRY(ReadSequence(items));
  return ReadSequence(items);
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
