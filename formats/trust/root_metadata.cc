// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/root_metadata.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "formats/cbor/cbor_fields.h"

namespace ota::formats {
namespace {

constexpr uint32_t kKindsAll = 1u << static_cast<uint32_t>(ComponentKind::kModel) |
                               1u << static_cast<uint32_t>(ComponentKind::kFirmware) |
                               1u << static_cast<uint32_t>(ComponentKind::kConfiguration);

constexpr int64_t kVersion = 1;
constexpr int64_t kRoot = 2;
constexpr int64_t kFreshness = 3;
constexpr int64_t kReleaseRoles = 4;
constexpr int64_t kExpires = 5;
constexpr int64_t kSequenceResets = 6;

constexpr uint32_t kSpecialKeySet = 0;
constexpr uint32_t kSpecialPattern = 1;
constexpr uint32_t kSpecialSequence = 2;

constexpr auto kKeySetTable =
    CborTable<CborStatuses(Status::kRootMetadataInvalid), kCborNotZero,
              CborNumber(OTA_CBOR_PLACE(KeySet, threshold), kRoleKeysMax),
              CborListOf(OTA_CBOR_PLACE(KeySet, key_count), kRoleKeysMax),
              CborElements(OTA_CBOR_PLACE(KeySet, keys)),
              CborBytesOf({}, sizeof(crypto::P256PublicKey)), kCborEnd, kCborEnd>();

constexpr auto kRootTable =
    CborTable<CborStatuses(Status::kRootMetadataInvalid), CborMap(Status::kRootMetadataInvalid, 4),
              CborKey(kVersion), kCborNotZero, CborNumber(OTA_CBOR_PLACE(RootMetadata, version)),
              CborKey(kRoot), CborArray(2), CborAt(OTA_CBOR_PLACE(RootMetadata, root)),
              CborSpecial(kSpecialKeySet), CborKey(kFreshness), CborArray(2),
              CborAt(OTA_CBOR_PLACE(RootMetadata, freshness)), CborSpecial(kSpecialKeySet),
              CborKey(kReleaseRoles),
              CborListOf(OTA_CBOR_PLACE(RootMetadata, release_role_count), kReleaseRolesMax),
              CborElements(OTA_CBOR_PLACE(RootMetadata, release_roles)), CborArray(5),
              CborSpecial(kSpecialKeySet), CborNumber(OTA_CBOR_PLACE(ReleaseRole, kinds)),
              CborItemsOf(OTA_CBOR_PLACE(ReleaseRole, patterns)), CborSpecial(kSpecialPattern),
              kCborEnd, CborItemsOf(OTA_CBOR_PLACE(ReleaseRole, class_ids)),
              CborBytesOf({}, kUuidBytes), kCborEnd, kCborEnd, CborKey(kExpires), kCborNotZero,
              CborNumber(OTA_CBOR_PLACE(RootMetadata, expires_s)), CborKey(kSequenceResets),
              kCborNotZero, CborItemsOf(OTA_CBOR_PLACE(RootMetadata, sequence_resets)),
              CborSpecial(kSpecialSequence), kCborEnd, kCborEnd, kCborEnd>();

constexpr auto kSignedRootTable =
    CborTable<CborStatuses(Status::kRootMetadataInvalid), CborArray(2),
              CborBytes(OTA_CBOR_PLACE(SignedRoot, metadata), kRootMetadataBytesMax),
              CborListOf(OTA_CBOR_PLACE(SignedRoot, signature_count), kRootSignaturesMax),
              CborElements(OTA_CBOR_PLACE(SignedRoot, signatures)), CborBytes({}), kCborEnd,
              kCborEnd>();

constexpr auto kSequenceTable =
    CborTable<CborStatuses(Status::kCborTypeUnexpected), CborArray(3), kCborNotZero,
              CborNumber(OTA_CBOR_PLACE(ComponentSequence, kind), kComponentKindLast),
              CborText(OTA_CBOR_PLACE(ComponentSequence, name), kComponentNameBytesMax),
              CborNumber(OTA_CBOR_PLACE(ComponentSequence, sequence_number)), kCborEnd>();

// Threshold and keys, in the array that the table has opened.
bool ReadKeySet(CborFieldReader& reader, KeySet& set) {
  reader.Read(kKeySetTable.data(), &set);
  for (size_t i = 0; i < set.key_count; ++i) {
    for (size_t other = 0; other < i; ++other) {
      if (AreEqual(set.keys[other], set.keys[i])) return false;
    }
  }
  return set.threshold <= set.key_count;
}

bool IsPattern(std::string_view text) {
  const bool is_prefix = text.ends_with('*');
  if (is_prefix) text.remove_suffix(1);
  return IsComponentName(text) || (is_prefix && text.empty());
}

bool ReadSpecial(CborFieldReader& reader, uint32_t number, void* target) {
  if (number == kSpecialKeySet) return ReadKeySet(reader, *static_cast<KeySet*>(target));
  if (number == kSpecialSequence) return ReadSequence(reader, number, target);
  std::string_view pattern;
  reader.ReadText(pattern);
  return IsPattern(pattern);
}

// Threshold and keys, in an array that the caller has opened.
void WriteKeySet(CborWriter& writer, const KeySet& set) {
  writer.WriteUnsigned(set.threshold);
  writer.WriteArrayHead(set.key_count);
  for (size_t i = 0; i < set.key_count; ++i) writer.WriteBytes(set.keys[i]);
}

// Whether an array of byte strings holds the one, or one of texts a pattern that it matches.
bool Holds(ByteSpan array, CborType type, ByteSpan wanted) {
  for (CborItems items(array); items.HasNext();) {
    ByteSpan string;
    items.ReadString(type, string);
    ByteSpan compared = wanted;
    if (type == CborType::kText && !string.empty() && string.back() == '*') {
      string = string.first(string.size() - 1);
      compared = wanted.first(std::min(wanted.size(), string.size()));
    }
    if (AreEqual(string, compared)) return true;
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
  const std::string_view name = manifest.component_name;
  const ByteSpan name_bytes(reinterpret_cast<const uint8_t*>(name.data()), name.size());
  if (!Holds(patterns, CborType::kText, name_bytes)) return false;
  const bool has_every_class = class_ids.size() == 1;
  for (size_t i = 0; i < manifest.class_id_count && !has_every_class; ++i) {
    if (!Holds(class_ids, CborType::kBytes, manifest.class_ids[i])) return false;
  }
  return true;
}

Status DecodeRootMetadata(ByteSpan bytes, RootMetadata& metadata) {
  metadata = {};
  if (bytes.size() > kRootMetadataBytesMax) return Status::kRootMetadataInvalid;
  OTA_TRY(DecodeFields(bytes, &metadata, kRootTable.data(), ReadSpecial));
  uint32_t kinds = 0;
  for (const ReleaseRole& role : metadata.release_roles) kinds |= role.kinds;
  const bool is_right = (kinds & ~kKindsAll) == 0 && metadata.freshness.threshold == 1;
  return is_right ? Status::kOk : Status::kRootMetadataInvalid;
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
  return DecodeFields(bytes, &root, kSignedRootTable.data());
}

void WriteSignedRoot(CborWriter& writer, const SignedRoot& root) {
  writer.WriteArrayHead(2);
  writer.WriteBytes(root.metadata);
  writer.WriteArrayHead(root.signature_count);
  for (size_t i = 0; i < root.signature_count; ++i) writer.WriteBytes(root.signatures[i]);
}

bool ReadSequence(CborFieldReader& reader, uint32_t, void* target) {
  reader.Read(kSequenceTable.data(), target);
  return IsComponentName(static_cast<ComponentSequence*>(target)->name);
}

void WriteSequence(CborWriter& writer, const ComponentSequence& sequence) {
  writer.WriteArrayHead(3);
  writer.WriteUnsigned(static_cast<uint8_t>(sequence.kind));
  writer.WriteText(sequence.name);
  writer.WriteUnsigned(sequence.sequence_number);
}

}  // namespace ota::formats
