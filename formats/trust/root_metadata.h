// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/p256.h"
#include "formats/cbor/cbor_fields.h"
#include "formats/cbor/cbor_writer.h"
#include "formats/manifest/manifest.h"

// Root metadata: who may sign what. It is the trust anchor of a device and the only thing that can
// change it: version N + 1 counts only if thresholds of the root keys of N and of N + 1 have
// signed. The ideas are those of TUF (root and delegated targets roles); docs/formats/trust.md has
// the bytes.

namespace ota::formats {

inline constexpr size_t kRootMetadataBytesMax = 1024;
inline constexpr size_t kRoleKeysMax = 6;
inline constexpr size_t kReleaseRolesMax = 4;
inline constexpr size_t kRootSignaturesMax = 12;
inline constexpr size_t kKeyIdBytes = 8;

using KeyId = std::array<uint8_t, kKeyIdBytes>;

/// The first bytes of the SHA-256 of the public key: a hint which key to try, never a proof.
KeyId ComputeKeyId(ByteSpan public_key);

/// `threshold` of these distinct keys must sign.
struct KeySet {
  uint8_t threshold = 0;
  uint8_t key_count = 0;
  std::array<ByteSpan, kRoleKeysMax> keys = {};  // 64 bytes each
};

/// A release role: its keys may sign manifests for these components, and for no others.
struct ReleaseRole {
  KeySet key_set;
  uint32_t kinds = 0;  // bit 1 << ComponentKind
  ByteSpan patterns;   // encoded array of texts: a name, or a prefix and '*'
  ByteSpan class_ids;  // encoded array of 16-byte strings; an empty array: every class

  bool Allows(const Manifest& manifest) const;
};

struct RootMetadata {
  uint32_t version = 0;  // from 1 on
  KeySet root;
  KeySet freshness;
  std::array<ReleaseRole, kReleaseRolesMax> release_roles = {};
  uint8_t release_role_count = 0;
  uint64_t expires_s = 0;    // seconds since 1970; 0: never
  ByteSpan sequence_resets;  // encoded array of [kind, name, number]; empty: none
};

/// Decodes the bytes that are signed. Whatever is not known is refused.
/// kRootMetadataInvalid: a threshold of 0 or above the number of keys, a key twice, too many of
/// something, or more than kRootMetadataBytesMax. Otherwise the statuses of CborCursor. Unless kOk,
/// `metadata` is not to be used.
Status DecodeRootMetadata(ByteSpan bytes, RootMetadata& metadata);

/// The same as a value, for where there is stack enough.
inline Result<RootMetadata> DecodeRootMetadata(ByteSpan bytes) {
  RootMetadata metadata;
  OTA_TRY(DecodeRootMetadata(bytes, metadata));
  return metadata;
}

/// Writes what DecodeRootMetadata reads.
void WriteRootMetadata(CborWriter& writer, const RootMetadata& metadata);

/// Root metadata with its signatures, as it travels.
struct SignedRoot {
  ByteSpan metadata;
  std::array<ByteSpan, kRootSignaturesMax> signatures = {};  // COSE_Sign1, detached
  uint8_t signature_count = 0;

  std::span<const ByteSpan> all_signatures() const {
    return std::span(signatures).first(signature_count);
  }
};

Status DecodeSignedRoot(ByteSpan bytes, SignedRoot& root);

/// The same as a value.
inline Result<SignedRoot> DecodeSignedRoot(ByteSpan bytes) {
  SignedRoot root;
  OTA_TRY(DecodeSignedRoot(bytes, root));
  return root;
}

void WriteSignedRoot(CborWriter& writer, const SignedRoot& root);

/// What goes into the signatures besides the metadata, so that none counts for anything else.
inline constexpr uint8_t kRootExternalData[] = {'O', 'T', 'A', '-', 'T', 'i', 'n', 'y',
                                                'M', 'L', ' ', 'r', 'o', 'o', 't'};

/// The sequence number of a component: a newest one, or one that the root keys set anew.
struct ComponentSequence {
  ComponentKind kind = ComponentKind::kForeign;
  std::string_view name;
  uint64_t sequence_number = 0;
};

/// Reads one of RootMetadata::sequence_resets, or of a freshness statement's newest sequence
/// numbers, into a ComponentSequence; a special of tables. False: its name is none.
bool ReadSequence(CborFieldReader& reader, uint32_t number, void* sequence);

/// The same outside of tables. kCborTypeUnexpected: its name is none.
inline void ReadSequence(CborFieldReader& reader, ComponentSequence& sequence) {
  reader.FailUnless(ReadSequence(reader, 0, &sequence), Status::kCborTypeUnexpected);
}
void WriteSequence(CborWriter& writer, const ComponentSequence& sequence);

}  // namespace ota::formats
