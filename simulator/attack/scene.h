// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/host/pem_key.h"
#include "formats/host/authoring.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/trust_state.h"

// What an attack is played with: the keys of everyone, things that they may sign, and a device that
// decides with the code that real devices run.

namespace ota::simulator {

using formats::Bytes;

/// A device as far as trust goes: takes metadata and releases, or refuses them. Its state passes
/// through its stored record before every decision, as after a reset.
class TrustingDevice {
 public:
  explicit TrustingDevice(ByteSpan root_metadata);

  Status TakeRoot(const Bytes& signed_root);
  Status TakeFreshness(const Bytes& answer);
  /// Decides about a release and, if it is taken, installs and confirms it. `payload` is what a
  /// mirror gives; nothing if it travels in the envelope.
  Status TakeRelease(const Bytes& envelope, const Bytes& payload);

  /// A new question for a freshness answer.
  Bytes AskFreshness();

  /// What runs: the digest of the installed image; all zeros at first.
  const crypto::Sha256Digest& installed_digest() const { return installed_digest_; }
  /// Whether anything that was refused has changed what the device believes or runs.
  bool has_been_swayed() const { return has_been_swayed_; }
  const Bytes& record() const { return record_; }
  uint64_t clock_s() const { return clock_s_; }

 private:
  Status Commit(Status status, const formats::TrustState& state);
  Status JudgeRelease(formats::TrustState& state, const Bytes& envelope, const Bytes& payload,
                      crypto::Sha256Digest& image_digest) const;

  Bytes record_;
  Bytes nonce_;
  uint8_t next_nonce_ = 1;
  uint64_t clock_s_ = 0;  // from freshness alone
  crypto::Sha256Digest installed_digest_ = {};
  bool has_been_swayed_ = false;
};

/// A release before it is signed, with the bytes that its fields point to.
class Draft {
 public:
  Draft(std::string name, uint64_t sequence_number);
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  formats::Manifest manifest;
  Bytes image;

  Bytes Encode() const { return formats::EncodeManifest(manifest); }
  Bytes Sign(const std::vector<crypto::SigningKey*>& signers) const;

 private:
  std::string name_;
  crypto::Sha256Digest digest_;
};

/// A world of its own for each attack.
class Scene {
 public:
  Scene();

  /// The device's root metadata at the start: 2 of 3 root keys; models "kws" and "vision-*" by
  /// `release`, firmware "main" by `release` and `second_release` together.
  formats::RootSpec root;
  std::unique_ptr<crypto::PemKey> root_keys[3];
  std::unique_ptr<crypto::PemKey> new_root_key;
  std::unique_ptr<crypto::PemKey> release;
  std::unique_ptr<crypto::PemKey> second_release;
  std::unique_ptr<crypto::PemKey> freshness;
  std::unique_ptr<crypto::PemKey> stranger;
  std::unique_ptr<TrustingDevice> device;
  uint64_t now_s = 1'800'000'000;
  uint64_t good_sequence = 1'000;  // of the update that must still be taken at the end

  Bytes SignRoot(const formats::RootSpec& spec, const std::vector<crypto::SigningKey*>& signers);
  std::vector<crypto::SigningKey*> RootSigners() {
    return {root_keys[0].get(), root_keys[1].get()};
  }
  /// The next version, properly signed by two root keys that stay.
  Status Rotate(const std::function<void(formats::RootSpec&)>& change = {});
  /// Asks and answers as an honest server does.
  Status Refresh(uint64_t newest_sequence = 0);
  Bytes Answer(const Bytes& nonce, uint64_t time_s, uint64_t newest_sequence,
               crypto::SigningKey& key);
  /// A release of "kws", signed by the release key.
  Status Release(uint64_t sequence_number,
                 const std::function<void(formats::Manifest&)>& change = {});
  /// As above, with the envelope's bytes changed after signing.
  Status ReleaseAltered(const std::function<void(Bytes&)>& change);
};

}  // namespace ota::simulator
