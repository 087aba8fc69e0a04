// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/host/signing_key.h"
#include "formats/manifest/manifest.h"
#include "formats/trust/freshness.h"
#include "formats/trust/root_metadata.h"

// What publishers and servers make and sign: the owning, growing counterparts of formats/manifest
// and formats/trust. Every function that signs returns kKeyInvalid when the key store refuses.

namespace ota::formats {

using Bytes = std::vector<uint8_t>;

/// Root metadata as a value that owns what it says.
struct KeySetSpec {
  uint8_t threshold = 1;
  std::vector<crypto::P256PublicKey> keys;
};
struct ReleaseRoleSpec {
  KeySetSpec key_set;
  std::vector<ComponentKind> kinds;
  std::vector<std::string> patterns;
  std::vector<Bytes> class_ids;  // empty: every class
};
struct SequenceResetSpec {
  ComponentKind kind = ComponentKind::kModel;
  std::string name;
  uint64_t sequence_number = 0;
};
struct RootSpec {
  uint32_t version = 1;
  KeySetSpec root;
  crypto::P256PublicKey freshness_key = {};
  std::vector<ReleaseRoleSpec> release_roles;
  uint64_t expires_s = 0;
  std::vector<SequenceResetSpec> sequence_resets;
};

/// The bytes that root keys sign, and back. Statuses of DecodeRootMetadata: Encode too gives only
/// what a device would take.
Result<Bytes> EncodeRoot(const RootSpec& spec);
Result<RootSpec> DecodeRoot(ByteSpan metadata);

/// Root metadata with signatures of all `signers`.
Result<Bytes> SignRoot(ByteSpan metadata, std::span<crypto::SigningKey* const> signers);

/// Adds one signature to signed root metadata: each holder of a root key signs at home.
/// kAlreadyExists: that key has signed before.
Result<Bytes> AddRootSignature(ByteSpan signed_root, crypto::SigningKey& signer);

Bytes EncodeManifest(const Manifest& manifest);

/// An envelope; `payload` travels in it if the manifest's URI says so.
Result<Bytes> SignManifest(ByteSpan manifest, std::span<crypto::SigningKey* const> signers,
                           std::string_view payload_uri = {}, ByteSpan payload = {});

/// Adds one signature to an envelope: each signer signs at home. kAlreadyExists: that key has
/// signed before. kOutOfRange: no room for another. Otherwise statuses of DecodeEnvelope.
Result<Bytes> AddManifestSignature(ByteSpan envelope, crypto::SigningKey& signer);

/// A batch of freshness answers under one signature.
struct FreshnessQuestion {
  Bytes nonce;
  std::vector<SequenceResetSpec> newest;
  LogHead log = {};  // size 0: not told
};
Result<std::vector<Bytes>> AnswerFreshness(std::span<const FreshnessQuestion> questions,
                                           uint64_t time_s, uint32_t root_version,
                                           crypto::SigningKey& freshness_key);

}  // namespace ota::formats
