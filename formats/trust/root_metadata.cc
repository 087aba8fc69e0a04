// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/root_metadata.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "formats/cbor/cbor_cursor.h"

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

// Threshold and keys, in the array that the caller has opened.
void ReadKeySet(CborCursor& cursor, KeySet& set) {
  const uint32_t threshold = cursor.ReadNumber(kRoleKeysMax);
  const uint32_t count = cursor.ReadArrayHead(kRoleKeysMax);
  cursor.FailUnless(threshold != 0 && threshold <= count, Status::kRootMetadataInvalid);
  for (uint32_t i = 0; i < count; ++i) {
    ByteSpan& key = set.keys[i];
    cursor.ReadBytesOfSize(key, sizeof(crypto::P256PublicKey), Status::kRootMetadataInvalid);
    for (uint32_t other = 0; other < i; ++other) {
      cursor.FailUnless(!AreEqual(set.keys[other], key), Status::kRootMetadataInvalid);
    }
  }
  set.threshold = static_cast<uint8_t>(threshold);
  set.key_count = static_cast<uint8_t>(count);
}

void ReadKeySetAlone(CborCursor& cursor, KeySet& set) {
  cursor.ReadArrayOf(2, Status::kRootMetadataInvalid);
  ReadKeySet(cursor, set);
}

bool IsPattern(std::string_view text) {
  const bool is_prefix = text.ends_with('*');
  if (is_prefix) text.remove_suffix(1);
  return IsComponentName(text) || (is_prefix && text.empty());
}

void ReadReleaseRole(CborCursor& cursor, ReleaseRole& role) {
  cursor.ReadArrayOf(5, Status::kRootMetadataInvalid);
  ReadKeySet(cursor, role.key_set);
  role.kinds = cursor.ReadNumber();
  cursor.FailUnless((role.kinds & ~kKindsAll) == 0, Status::kRootMetadataInvalid);
  CborCursor items = cursor;
  cursor.ReadItem(role.patterns);
  for (uint32_t count = items.ReadArrayHead(); count != 0; --count) {
    std::string_view pattern;
    items.ReadText(pattern);
    items.FailUnless(IsPattern(pattern), Status::kRootMetadataInvalid);
  }
  cursor.ReadItem(role.class_ids);
  for (uint32_t count = items.ReadArrayHead(); count != 0; --count) {
    ByteSpan id;
    items.ReadBytesOfSize(id, kUuidBytes, Status::kRootMetadataInvalid);
  }
  cursor.FailUnless(items.ok(), items.status());
}

void ReadReleaseRoles(CborCursor& cursor, RootMetadata& metadata) {
  const uint32_t count = cursor.ReadArrayHead();
  if (count > kReleaseRolesMax) return cursor.Fail(Status::kRootMetadataInvalid);
  for (uint32_t i = 0; i < count; ++i) ReadReleaseRole(cursor, metadata.release_roles[i]);
  metadata.release_role_count = static_cast<uint8_t>(count);
}

void ReadSequenceResets(CborCursor& cursor, ByteSpan& resets) {
  CborCursor items = cursor;
  cursor.ReadItem(resets);
  const uint32_t count = items.ReadArrayHead();
  cursor.FailUnless(count != 0, Status::kRootMetadataInvalid);
  ComponentSequence sequence;
  for (uint32_t i = 0; i < count; ++i) ReadSequence(items, sequence);
  cursor.FailUnless(items.ok(), items.status());
}

void ReadMember(CborCursor& cursor, int32_t key, RootMetadata& metadata) {
  switch (key) {
    case kVersion:
      metadata.version = cursor.ReadNumber();
      return cursor.FailUnless(metadata.version != 0, Status::kRootMetadataInvalid);
    case kRoot:
      return ReadKeySetAlone(cursor, metadata.root);
    case kFreshness:
      return ReadKeySetAlone(cursor, metadata.freshness);
    case kReleaseRoles:
      return ReadReleaseRoles(cursor, metadata);
    case kExpires:
      metadata.expires_s = cursor.ReadUnsigned();
      return cursor.FailUnless(metadata.expires_s != 0, Status::kRootMetadataInvalid);
    case kSequenceResets:
      return ReadSequenceResets(cursor, metadata.sequence_resets);
    default:
      return cursor.Fail(Status::kRootMetadataInvalid);
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
  CborCursor cursor(patterns);
  for (uint32_t count = cursor.ReadArrayHead(); count != 0; --count) {
    std::string_view pattern;
    cursor.ReadText(pattern);
    if (cursor.ok() && MatchesPattern(name, pattern)) return true;
  }
  return false;
}

bool HoldsClass(ByteSpan class_ids, ByteSpan id) {
  CborCursor cursor(class_ids);
  uint32_t count = cursor.ReadArrayHead();
  if (count == 0) return cursor.ok();
  for (; count != 0; --count) {
    ByteSpan allowed;
    cursor.ReadBytes(allowed);
    if (cursor.ok() && AreEqual(allowed, id)) return true;
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

Status DecodeRootMetadata(ByteSpan bytes, RootMetadata& metadata) {
  metadata = {};
  if (bytes.size() > kRootMetadataBytesMax) return Status::kRootMetadataInvalid;
  CborCursor cursor(bytes);
  CborCursor::Map map = cursor.BeginMap();
  bool has_roles = false;
  for (int32_t key; cursor.NextKey(map, key);) {
    ReadMember(cursor, key, metadata);
    has_roles = has_roles || key == kReleaseRoles;
  }
  OTA_TRY(cursor.Finish());
  const bool has_all = has_roles && metadata.version != 0 && metadata.root.threshold != 0 &&
                       metadata.freshness.threshold == 1;
  return has_all ? Status::kOk : Status::kRootMetadataInvalid;
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

Status DecodeSignedRoot(ByteSpan bytes, SignedRoot& root) {
  CborCursor cursor(bytes);
  cursor.ReadArrayOf(2, Status::kRootMetadataInvalid);
  cursor.ReadBytes(root.metadata, kRootMetadataBytesMax);
  const uint32_t signatures = cursor.ReadArrayHead(kRootSignaturesMax);
  for (uint32_t i = 0; i < signatures; ++i) cursor.ReadBytes(root.signatures[i]);
  root.signature_count = static_cast<uint8_t>(signatures);
  return cursor.Finish();
}

void WriteSignedRoot(CborWriter& writer, const SignedRoot& root) {
  writer.WriteArrayHead(2);
  writer.WriteBytes(root.metadata);
  writer.WriteArrayHead(root.signature_count);
  for (size_t i = 0; i < root.signature_count; ++i) writer.WriteBytes(root.signatures[i]);
}

ByteSpan RootExternalData() { return kExternalData; }

void ReadSequence(CborCursor& cursor, ComponentSequence& sequence) {
  cursor.ReadArrayOf(3, Status::kCborTypeUnexpected);
  sequence.kind = static_cast<ComponentKind>(cursor.ReadNumber(kComponentKindLast));
  cursor.ReadText(sequence.name, kComponentNameBytesMax);
  sequence.sequence_number = cursor.ReadUnsigned();
  cursor.FailUnless(sequence.kind != ComponentKind::kForeign && IsComponentName(sequence.name),
                    Status::kCborTypeUnexpected);
}

void WriteSequence(CborWriter& writer, const ComponentSequence& sequence) {
  writer.WriteArrayHead(3);
  writer.WriteUnsigned(static_cast<uint8_t>(sequence.kind));
  writer.WriteText(sequence.name);
  writer.WriteUnsigned(sequence.sequence_number);
}

}  // namespace ota::formats
