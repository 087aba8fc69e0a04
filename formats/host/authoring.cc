// SPDX-License-Identifier: Apache-2.0
#include "formats/host/authoring.h"

#include <algorithm>
#include <functional>

#include "formats/cbor/cbor_cursor.h"
#include "formats/cose/cose_sign1.h"
#include "formats/manifest/envelope.h"

namespace ota::formats {
namespace {

constexpr size_t kEnvelopeMapOffset = 2;  // after the two bytes of the tag

// Runs `write` once to learn the size and once to fill.
Bytes Encode(const std::function<void(CborWriter&)>& write) {
  CborWriter counting{MutableByteSpan()};
  write(counting);
  Bytes bytes(counting.size_needed_bytes() + 16);  // room for heads that wrapping moves in
  CborWriter writer(bytes);
  write(writer);
  bytes.resize(writer.size_needed_bytes());
  return bytes;
}

KeySet ViewOf(const KeySetSpec& spec) {
  KeySet set;
  set.threshold = spec.threshold;
  set.key_count = static_cast<uint8_t>(std::min(spec.keys.size(), kRoleKeysMax));
  for (size_t i = 0; i < set.key_count; ++i) set.keys[i] = spec.keys[i];
  return set;
}

KeySetSpec SpecOf(const KeySet& set) {
  KeySetSpec spec;
  spec.threshold = set.threshold;
  for (size_t i = 0; i < set.key_count; ++i) {
    std::copy(set.keys[i].begin(), set.keys[i].end(), spec.keys.emplace_back().begin());
  }
  return spec;
}

Bytes EncodePatterns(const std::vector<std::string>& patterns) {
  return Encode([&](CborWriter& writer) {
    writer.WriteArrayHead(patterns.size());
    for (const std::string& pattern : patterns) writer.WriteText(pattern);
  });
}

Bytes EncodeClassIds(const std::vector<Bytes>& ids) {
  return Encode([&](CborWriter& writer) {
    writer.WriteArrayHead(ids.size());
    for (const Bytes& id : ids) writer.WriteBytes(id);
  });
}

Bytes EncodeResets(const std::vector<SequenceResetSpec>& resets) {
  if (resets.empty()) return {};
  return Encode([&](CborWriter& writer) {
    writer.WriteArrayHead(resets.size());
    for (const SequenceResetSpec& reset : resets) {
      WriteSequence(writer, {reset.kind, reset.name, reset.sequence_number});
    }
  });
}

Result<ReleaseRoleSpec> SpecOf(const ReleaseRole& role) {
  ReleaseRoleSpec spec;
  spec.key_set = SpecOf(role.key_set);
  for (uint8_t kind = 1; kind <= kComponentKindLast; ++kind) {
    if ((role.kinds >> kind & 1) != 0) spec.kinds.push_back(static_cast<ComponentKind>(kind));
  }
  CborCursor patterns(role.patterns);
  for (uint32_t count = patterns.ReadArrayHead(); count != 0; --count) {
    std::string_view pattern;
    patterns.ReadText(pattern);
    spec.patterns.emplace_back(pattern);
  }
  OTA_TRY(patterns.Finish());
  CborCursor ids(role.class_ids);
  for (uint32_t count = ids.ReadArrayHead(); count != 0; --count) {
    ByteSpan id;
    ids.ReadBytes(id);
    spec.class_ids.emplace_back(id.begin(), id.end());
  }
  OTA_TRY(ids.Finish());
  return spec;
}

Result<Bytes> SignDetached(ByteSpan payload, ByteSpan external_data, crypto::SigningKey& signer) {
  OTA_TRY(const crypto::Es256Signature signature,
          signer.Sign(ComputeSign1Digest(Es256ProtectedHeader(), external_data, payload)));
  const KeyId key_id = ComputeKeyId(signer.public_key());
  return Encode([&](CborWriter& writer) { WriteDetachedCoseSign1(writer, key_id, signature); });
}

Bytes EncodeSignedRoot(ByteSpan metadata, const std::vector<Bytes>& signatures) {
  return Encode([&](CborWriter& writer) {
    writer.WriteArrayHead(2);
    writer.WriteBytes(metadata);
    writer.WriteArrayHead(signatures.size());
    for (const Bytes& signature : signatures) writer.WriteBytes(signature);
  });
}

Result<Bytes> SignStatement(const FreshnessStatement& statement, crypto::SigningKey& signer) {
  const Bytes payload =
      Encode([&](CborWriter& writer) { WriteFreshnessStatement(writer, statement); });
  OTA_TRY(const crypto::Es256Signature signature,
          signer.Sign(ComputeStatementSigningDigest(payload)));
  const KeyId key_id = ComputeKeyId(signer.public_key());
  return Encode([&](CborWriter& writer) { WriteCoseSign1(writer, key_id, payload, signature); });
}

Bytes EncodeLeaf(const FreshnessQuestion& question) {
  std::vector<ComponentSequence> newest;
  for (const SequenceResetSpec& item : question.newest) {
    newest.push_back({item.kind, item.name, item.sequence_number});
  }
  return Encode([&](CborWriter& writer) {
    WriteFreshnessLeaf(writer, question.nonce, newest, question.log);
  });
}

}  // namespace

Result<Bytes> EncodeRoot(const RootSpec& spec) {
  RootMetadata metadata;
  metadata.version = spec.version;
  metadata.root = ViewOf(spec.root);
  metadata.freshness.threshold = 1;
  metadata.freshness.key_count = 1;
  metadata.freshness.keys[0] = spec.freshness_key;
  metadata.expires_s = spec.expires_s;
  if (spec.release_roles.size() > kReleaseRolesMax) return Status::kRootMetadataInvalid;
  std::vector<Bytes> kept;  // what the roles' spans point to
  for (const ReleaseRoleSpec& role_spec : spec.release_roles) {
    kept.push_back(EncodePatterns(role_spec.patterns));
    kept.push_back(EncodeClassIds(role_spec.class_ids));
  }
  for (const ReleaseRoleSpec& role_spec : spec.release_roles) {
    const size_t index = metadata.release_role_count++;
    ReleaseRole& role = metadata.release_roles[index];
    role.key_set = ViewOf(role_spec.key_set);
    for (const ComponentKind kind : role_spec.kinds) role.kinds |= 1u << static_cast<int>(kind);
    role.patterns = kept[2 * index];
    role.class_ids = kept[2 * index + 1];
  }
  const Bytes resets = EncodeResets(spec.sequence_resets);
  metadata.sequence_resets = resets;
  Bytes bytes = Encode([&](CborWriter& writer) { WriteRootMetadata(writer, metadata); });
  OTA_TRY(DecodeRootMetadata(bytes));
  return bytes;
}

Result<RootSpec> DecodeRoot(ByteSpan bytes) {
  OTA_TRY(const RootMetadata metadata, DecodeRootMetadata(bytes));
  RootSpec spec;
  spec.version = metadata.version;
  spec.root = SpecOf(metadata.root);
  spec.freshness_key = SpecOf(metadata.freshness).keys[0];
  spec.expires_s = metadata.expires_s;
  for (size_t i = 0; i < metadata.release_role_count; ++i) {
    OTA_TRY(ReleaseRoleSpec role, SpecOf(metadata.release_roles[i]));
    spec.release_roles.push_back(std::move(role));
  }
  if (metadata.sequence_resets.empty()) return spec;
  CborFieldReader resets(metadata.sequence_resets);
  for (uint32_t count = resets.ReadArrayHead(); count != 0; --count) {
    ComponentSequence reset;
    ReadSequence(resets, reset);
    spec.sequence_resets.push_back({reset.kind, std::string(reset.name), reset.sequence_number});
  }
  OTA_TRY(resets.Finish());
  return spec;
}

Result<Bytes> SignRoot(ByteSpan metadata, std::span<crypto::SigningKey* const> signers) {
  std::vector<Bytes> signatures;
  for (crypto::SigningKey* const signer : signers) {
    OTA_TRY(Bytes signature, SignDetached(metadata, kRootExternalData, *signer));
    signatures.push_back(std::move(signature));
  }
  return EncodeSignedRoot(metadata, signatures);
}

Result<Bytes> AddRootSignature(ByteSpan signed_root, crypto::SigningKey& signer) {
  OTA_TRY(const SignedRoot root, DecodeSignedRoot(signed_root));
  const KeyId own_id = ComputeKeyId(signer.public_key());
  std::vector<Bytes> signatures;
  for (size_t i = 0; i < root.signature_count; ++i) {
    OTA_TRY(const CoseSign1 message, DecodeCoseSign1(root.signatures[i]));
    if (std::equal(own_id.begin(), own_id.end(), message.key_id.begin(), message.key_id.end())) {
      return Status::kAlreadyExists;
    }
    signatures.emplace_back(root.signatures[i].begin(), root.signatures[i].end());
  }
  OTA_TRY(Bytes added, SignDetached(root.metadata, kRootExternalData, signer));
  signatures.push_back(std::move(added));
  return EncodeSignedRoot(root.metadata, signatures);
}

Bytes EncodeManifest(const Manifest& manifest) {
  return Encode([&](CborWriter& writer) { WriteManifest(writer, manifest); });
}

Result<Bytes> SignManifest(ByteSpan manifest, std::span<crypto::SigningKey* const> signers,
                           std::string_view payload_uri, ByteSpan payload) {
  std::vector<KeyId> key_ids;
  std::vector<EnvelopeSignature> signatures;
  for (crypto::SigningKey* const signer : signers) {
    key_ids.push_back(ComputeKeyId(signer->public_key()));
  }
  for (size_t i = 0; i < signers.size(); ++i) {
    OTA_TRY(const crypto::Es256Signature signature,
            signers[i]->Sign(ComputeSigningDigest(manifest)));
    signatures.push_back({key_ids[i], signature});
  }
  Bytes envelope = Encode([&](CborWriter& writer) {
    WriteEnvelope(writer, manifest, signatures, payload_uri, payload.size());
  });
  envelope.insert(envelope.end(), payload.begin(), payload.end());
  return envelope;
}

Result<Bytes> AddManifestSignature(ByteSpan bytes, crypto::SigningKey& signer) {
  OTA_TRY(const Envelope envelope, DecodeEnvelope(bytes));
  if (envelope.signatures().size() == kSignaturesMax) return Status::kOutOfRange;
  const KeyId own_id = ComputeKeyId(signer.public_key());
  std::vector<EnvelopeSignature> signatures;
  for (const ByteSpan signature : envelope.signatures()) {
    OTA_TRY(const CoseSign1 message, DecodeCoseSign1(signature));
    if (std::equal(own_id.begin(), own_id.end(), message.key_id.begin(), message.key_id.end())) {
      return Status::kAlreadyExists;
    }
    EnvelopeSignature& kept = signatures.emplace_back();
    kept.key_id = message.key_id;
    std::copy(message.signature.begin(), message.signature.end(), kept.signature.begin());
  }
  OTA_TRY(const crypto::Es256Signature own, signer.Sign(ComputeSigningDigest(envelope.manifest)));
  signatures.push_back({own_id, own});
  const ByteSpan member = bytes.subspan(envelope.payload_member_offset);
  Bytes signed_again =
      Encode([&](CborWriter& writer) { WriteEnvelope(writer, envelope.manifest, signatures); });
  // The map has one pair more if the payload is in it; its member goes along as it is.
  if (envelope.payload_member_count != 0) ++signed_again[kEnvelopeMapOffset];
  signed_again.insert(signed_again.end(), member.begin(), member.end());
  return signed_again;
}

Result<std::vector<Bytes>> AnswerFreshness(std::span<const FreshnessQuestion> questions,
                                           uint64_t time_s, uint32_t root_version,
                                           crypto::SigningKey& freshness_key) {
  if (questions.empty()) return std::vector<Bytes>();
  std::vector<Bytes> leaves;
  std::vector<crypto::Sha256Digest> nodes(CountTreeNodes(questions.size()));
  for (size_t i = 0; i < questions.size(); ++i) {
    leaves.push_back(EncodeLeaf(questions[i]));
    nodes[i] = ComputeLeafHash(leaves[i]);
  }
  BuildTree(nodes, questions.size());
  const auto leaf_count = static_cast<uint32_t>(questions.size());
  OTA_TRY(const Bytes statement,
          SignStatement({time_s, {leaf_count, nodes.back()}, root_version}, freshness_key));
  std::vector<Bytes> answers;
  for (uint32_t i = 0; i < leaf_count; ++i) {
    std::array<crypto::Sha256Digest, kAuditPathHashesMax> path;
    const size_t hash_count = FindAuditPath(nodes, leaf_count, i, path);
    const ByteSpan path_bytes(path[0].data(), hash_count * crypto::kSha256Bytes);
    answers.push_back(Encode([&](CborWriter& writer) {
      WriteFreshnessAnswer(writer, {statement, i, path_bytes, leaves[i]});
    }));
  }
  return answers;
}

}  // namespace ota::formats
