// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/host/pem_key.h"
#include "formats/host/authoring.h"
#include "server/artifact/digest.h"

namespace ota::server {

/// For tests: the keys of a publisher, and what he signs with them. One root key, one release key
/// for models named kws and vision-*.
class TestPublisher {
 public:
  static std::unique_ptr<crypto::PemKey> NewKey() { return std::move(*crypto::PemKey::Generate()); }

  TestPublisher() {
    root_spec.root = {1, {root_key->public_key()}};
    root_spec.freshness_key = freshness_key->public_key();
    formats::ReleaseRoleSpec role;
    role.key_set = {1, {release_key->public_key()}};
    role.kinds = {formats::ComponentKind::kModel};
    role.patterns = {"kws", "vision-*"};
    root_spec.release_roles = {role};
  }

  /// The root metadata as it is specified now, with that version, signed.
  formats::Bytes SignRoot(uint32_t version) {
    root_spec.version = version;
    crypto::SigningKey* const signers[] = {root_key.get()};
    return *formats::SignRoot(*formats::EncodeRoot(root_spec), signers);
  }

  formats::Bytes Envelope(uint64_t sequence, std::string_view payload,
                          std::string_view name = "kws") {
    return EnvelopeBy(*release_key, sequence, payload, name);
  }

  /// The payload of "kws" in its envelope.
  formats::Bytes IntegratedEnvelope(uint64_t sequence, std::string_view payload) {
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(payload.data()), payload.size());
    return EnvelopeBy(*release_key, sequence, payload, "kws", "#kws", bytes);
  }

  formats::Bytes EnvelopeBy(crypto::SigningKey& signer, uint64_t sequence, std::string_view payload,
                            std::string_view name = "kws",
                            std::string_view uri = formats::kUriByDigest,
                            ByteSpan integrated = {}) {
    const Digest digest = ComputeDigest(payload);
    formats::Manifest manifest;
    manifest.sequence_number = sequence;
    manifest.vendor_id = vendor_id;
    manifest.class_ids[0] = class_id;
    manifest.class_id_count = 1;
    manifest.kind = formats::ComponentKind::kModel;
    manifest.component_name = name;
    manifest.image_digest = digest;
    manifest.image_size_bytes = static_cast<uint32_t>(payload.size());
    manifest.payload_size_bytes = manifest.image_size_bytes;
    manifest.version = "1.0.0";
    manifest.uri = uri;
    crypto::SigningKey* const signers[] = {&signer};
    if (integrated.empty()) {
      return *formats::SignManifest(formats::EncodeManifest(manifest), signers);
    }
    return *formats::SignManifest(formats::EncodeManifest(manifest), signers, uri, integrated);
  }

  std::unique_ptr<crypto::PemKey> root_key = NewKey();
  std::unique_ptr<crypto::PemKey> release_key = NewKey();
  std::unique_ptr<crypto::PemKey> freshness_key = NewKey();
  formats::RootSpec root_spec;
  formats::Bytes vendor_id = formats::Bytes(16, 0xA1);
  formats::Bytes class_id = formats::Bytes(16, 0xC1);
};

}  // namespace ota::server
