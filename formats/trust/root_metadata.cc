// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/root_metadata.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "formats/cbor/cbor_reader.h"

namespace ota::formats {
namespace {

constexpr uint8_t kExternalData[] = {'O', 'T', 'A', '-', 'T', 'i', 'n', 'y',
                                     'M', 'L', ' ', 'r', 'o', 'o', 't'};
constexpr uint32_t kKindsAll = 1u << static_cast<uint32_t>(ComponentKind::kModel) |
                               1u << static_cast<uint32_t>(ComponentKind::kFirmware) |
                               1u << static_cast<uint32_t>(ComponentKind::kConfiguration);

constexpr int64_t kVersion = 1;
constexpr int64_t kRoot = 2;
constexpr int64_t kFreshness = 3;
constexpr int64_t kReleaseRoles = 4;
constexpr int64_t kExpires = 5;
constexpr int64_t kSequenceResets = 6;

bool AreEqual(ByteSpan first, ByteSpan second) {
  return std::equal(first.begin(), first.end(), second.begin(), second.end());
}

// Threshold and keys, in the array that the caller has opened.
Status ReadKeySet(CborReader& reader, KeySet& set) {
  OTA_TRY(const uint64_t threshold, reader.ReadUnsigned(kRoleKeysMax));
  OTA_TRY(const uint32_t count, reader.ReadArrayHead(kRoleKeysMax));
  if (threshold == 0 || threshold > count) return Status::kRootMetadataInvalid;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const ByteSpan key, reader.ReadBytes());
    if (key.size() != sizeof(crypto::P256PublicKey)) return Status::kRootMetadataInvalid;
    for (uint32_t other = 0; other < i; ++other) {
      if (AreEqual(set.keys[other], key)) return Status::kRootMetadataInvalid;
    }
    set.keys[i] = key;
  }
  set.threshold = static_cast<uint8_t>(threshold);
  set.key_count = static_cast<uint8_t>(count);
  return Status::kOk;
}

Status ReadKeySetAlone(CborReader& reader, KeySet& set) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count != 2) return Status::kRootMetadataInvalid;
  return ReadKeySet(reader, set);
}

bool IsPattern(std::string_view text) {
  if (text == "*") return true;
  if (text.ends_with('*')) text.remove_suffix(1);
  return IsComponentName(text);
}

// The item at hand, having checked that it is an array of patterns or of class ids.
Result<ByteSpan> ReadPatterns(CborReader& reader) {
  CborReader items = reader;
  OTA_TRY(const ByteSpan encoded, reader.ReadItem());
  OTA_TRY(const uint32_t count, items.ReadArrayHead());
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const std::string_view text, items.ReadText());
    if (!IsPattern(text)) return Status::kRootMetadataInvalid;
  }
  return encoded;
}

Result<ByteSpan> ReadClassIds(CborReader& reader) {
  CborReader items = reader;
  OTA_TRY(const ByteSpan encoded, reader.ReadItem());
  OTA_TRY(const uint32_t count, items.ReadArrayHead());
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const ByteSpan id, items.ReadBytes());
    if (id.size() != kUuidBytes) return Status::kRootMetadataInvalid;
  }
  return encoded;
}

Status ReadReleaseRole(CborReader& reader, ReleaseRole& role) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count != 5) return Status::kRootMetadataInvalid;
  OTA_TRY(ReadKeySet(reader, role.key_set));
  OTA_TRY(const uint64_t kinds, reader.ReadUnsigned(kKindsAll));
  if ((kinds & ~uint64_t{kKindsAll}) != 0) return Status::kRootMetadataInvalid;
  role.kinds = static_cast<uint32_t>(kinds);
  OTA_TRY(role.patterns, ReadPatterns(reader));
  OTA_TRY(role.class_ids, ReadClassIds(reader));
  return Status::kOk;
}

Status ReadReleaseRoles(CborReader& reader, RootMetadata& metadata) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count > kReleaseRolesMax) return Status::kRootMetadataInvalid;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(ReadReleaseRole(reader, metadata.release_roles[i]));
  }
  metadata.release_role_count = static_cast<uint8_t>(count);
  return Status::kOk;
}

Status ReadSequenceResets(CborReader& reader, RootMetadata& metadata) {
  CborReader items = reader;
  OTA_TRY(metadata.sequence_resets, reader.ReadItem());
  OTA_TRY(const uint32_t count, items.ReadArrayHead());
  if (count == 0) return Status::kRootMetadataInvalid;
  for (uint32_t i = 0; i < count; ++i) OTA_TRY(ReadSequence(items));
  return Status::kOk;
}

Status ReadMember(CborReader& reader, int64_t key, RootMetadata& metadata) {
  switch (key) {
    case kVersion: {
      OTA_TRY(const uint64_t version, reader.ReadUnsigned(UINT32_MAX));
      metadata.version = static_cast<uint32_t>(version);
      return version == 0 ? Status::kRootMetadataInvalid : Status::kOk;
    }
    case kRoot:
      return ReadKeySetAlone(reader, metadata.root);
    case kFreshness:
      return ReadKeySetAlone(reader, metadata.freshness);
    case kReleaseRoles:
      return ReadReleaseRoles(reader, metadata);
    case kExpires: {
      OTA_TRY(metadata.expires_s, reader.ReadUnsigned());
      return metadata.expires_s == 0 ? Status::kRootMetadataInvalid : Status::kOk;
    }
    case kSequenceResets:
      return ReadSequenceResets(reader, metadata);
    default:
      return Status::kRootMetadataInvalid;
  }
}

// Threshold and keys, in an array that the caller has opened.
void WriteKeySet(CborWriter& writer, const KeySet& set) {
  writer.WriteUnsigned(set.threshold);
  writer.WriteArrayHead(set.key_count);
  for (size_t i = 0; i < set.key_count; ++i) writer.WriteBytes(set.keys[i]);
}

bool MatchesPattern(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

bool MatchesAnyPattern(std::string_view name, ByteSpan patterns) {
  CborReader reader(patterns);
  const Result<uint32_t> count = reader.ReadArrayHead();
  for (uint32_t i = 0; count.ok() && i < *count; ++i) {
    const Result<std::string_view> pattern = reader.ReadText();
    if (pattern.ok() && MatchesPattern(name, *pattern)) return true;
  }
  return false;
}

bool HoldsClass(ByteSpan class_ids, ByteSpan id) {
  CborReader reader(class_ids);
  const Result<uint32_t> count = reader.ReadArrayHead();
  if (count.ok() && *count == 0) return true;
  for (uint32_t i = 0; count.ok() && i < *count; ++i) {
    const Result<ByteSpan> allowed = reader.ReadBytes();
    if (allowed.ok() && AreEqual(*allowed, id)) return true;
  }
  return false;
}

}  // namespace

KeyId ComputeKeyId(ByteSpan public_key) {
  const crypto::Sha256Digest digest = crypto::ComputeSha256(public_key);
  KeyId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

bool ReleaseRole::Allows(const Manifest& manifest) const {
  if ((kinds >> static_cast<uint32_t>(manifest.kind) & 1) == 0) return false;
  if (!MatchesAnyPattern(manifest.component_name, patterns)) return false;
  for (size_t i = 0; i < manifest.class_id_count; ++i) {
    if (!HoldsClass(class_ids, manifest.class_ids[i])) return false;
  }
  return true;
}

Result<RootMetadata> DecodeRootMetadata(ByteSpan bytes) {
  if (bytes.size() > kRootMetadataBytesMax) return Status::kRootMetadataInvalid;
  CborReader reader(bytes);
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  RootMetadata metadata;
  bool has_roles = false;
  while (map.has_next()) {
    OTA_TRY(const int64_t key, map.ReadIntegerKey());
    OTA_TRY(ReadMember(reader, key, metadata));
    has_roles = has_roles || key == kReleaseRoles;
  }
  OTA_TRY(reader.Finish());
  const bool has_all = has_roles && metadata.version != 0 && metadata.root.threshold != 0 &&
                       metadata.freshness.threshold == 1;
  return has_all ? Result<RootMetadata>(metadata) : Status::kRootMetadataInvalid;
}

void WriteRootMetadata(CborWriter& writer, const RootMetadata& metadata) {
  const bool has_expiry = metadata.expires_s != 0;
  const bool has_resets = !metadata.sequence_resets.empty();
  writer.WriteMapHead(4u + has_expiry + has_resets);
  writer.WriteInteger(kVersion);
  writer.WriteUnsigned(metadata.version);
  writer.WriteInteger(kRoot);
  writer.WriteArrayHead(2);
  WriteKeySet(writer, metadata.root);
  writer.WriteInteger(kFreshness);
  writer.WriteArrayHead(2);
  WriteKeySet(writer, metadata.freshness);
  writer.WriteInteger(kReleaseRoles);
  writer.WriteArrayHead(metadata.release_role_count);
  for (size_t i = 0; i < metadata.release_role_count; ++i) {
    const ReleaseRole& role = metadata.release_roles[i];
    writer.WriteArrayHead(5);
    WriteKeySet(writer, role.key_set);
    writer.WriteUnsigned(role.kinds);
    writer.WriteEncoded(role.patterns);
    writer.WriteEncoded(role.class_ids);
  }
  if (has_expiry) {
    writer.WriteInteger(kExpires);
    writer.WriteUnsigned(metadata.expires_s);
  }
  if (has_resets) {
    writer.WriteInteger(kSequenceResets);
    writer.WriteEncoded(metadata.sequence_resets);
  }
}

Result<SignedRoot> DecodeSignedRoot(ByteSpan bytes) {
  CborReader reader(bytes);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count != 2) return Status::kRootMetadataInvalid;
  SignedRoot root;
  OTA_TRY(root.metadata, reader.ReadBytes(kRootMetadataBytesMax));
  OTA_TRY(const uint32_t signatures, reader.ReadArrayHead(kRootSignaturesMax));
  for (uint32_t i = 0; i < signatures; ++i) {
    OTA_TRY(root.signatures[i], reader.ReadBytes());
  }
  root.signature_count = static_cast<uint8_t>(signatures);
  OTA_TRY(reader.Finish());
  return root;
}

void WriteSignedRoot(CborWriter& writer, const SignedRoot& root) {
  writer.WriteArrayHead(2);
  writer.WriteBytes(root.metadata);
  writer.WriteArrayHead(root.signature_count);
  for (size_t i = 0; i < root.signature_count; ++i) writer.WriteBytes(root.signatures[i]);
}

ByteSpan RootExternalData() { return kExternalData; }

Result<ComponentSequence> ReadSequence(CborReader& reader) {
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  OTA_TRY(const uint64_t kind, reader.ReadUnsigned(kComponentKindLast));
  ComponentSequence sequence;
  sequence.kind = static_cast<ComponentKind>(kind);
  OTA_TRY(sequence.name, reader.ReadText(kComponentNameBytesMax));
  OTA_TRY(sequence.sequence_number, reader.ReadUnsigned());
  if (count != 3 || kind == 0 || !IsComponentName(sequence.name)) {
    return Status::kCborTypeUnexpected;
  }
  return sequence;
}

void WriteSequence(CborWriter& writer, const ComponentSequence& sequence) {
  writer.WriteArrayHead(3);
  writer.WriteUnsigned(static_cast<uint8_t>(sequence.kind));
  writer.WriteText(sequence.name);
  writer.WriteUnsigned(sequence.sequence_number);
}

}  // namespace ota::formats
