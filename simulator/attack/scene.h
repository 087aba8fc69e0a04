// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/port/port.h"
#include "crypto/host/pem_key.h"
#include "formats/host/authoring.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/trust_state.h"
#include "simulator/attack/memory_server.h"
#include "simulator/board/virtual_board.h"

// What an attack is played with: the keys of everyone, things that they may sign, and a device that
// decides with the code that real devices run.

namespace ota::simulator {

using formats::Bytes;

class DevicePort;

/// A virtual board that decides with the code that real devices run: Updater, Poller, model store.
/// Before every decision it reads what it believes from its store, as after a reset.
class TrustingDevice {
 public:
  explicit TrustingDevice(ByteSpan root_metadata);
  ~TrustingDevice();
  TrustingDevice(const TrustingDevice&) = delete;
  TrustingDevice& operator=(const TrustingDevice&) = delete;

  Status TakeRoot(const Bytes& signed_root);
  Status TakeFreshness(const Bytes& answer);
  /// Decides about a release and, if it is taken, installs and confirms it. `source` is the mirror
  /// that gives the payload.
  Status TakeRelease(const Bytes& envelope, MemoryPayloadSource& source);
  Status TakeRelease(const Bytes& envelope, const Bytes& payload);

  /// One round of polling, and of taking what is offered, against a server.
  Status Poll(MemoryServer& server, MemoryPayloadSource& source, bool wants_proof = false);
  /// The same over another network than none.
  Status Poll(const agent::Port& port, agent::MessageExchange& server, agent::PayloadSource& source,
              bool wants_proof);

  /// Takes a model away again, as its user may.
  Status Delete(const std::string& name);

  /// A new question for a freshness answer.
  Bytes AskFreshness();

  /// What runs: a digest over all confirmed images.
  crypto::Sha256Digest installed_digest();
  /// Whether anything that was refused has changed what the device believes or runs.
  bool has_been_swayed() const { return has_been_swayed_; }
  uint64_t clock_s() const { return clock_s_; }

 private:
  Status Load(formats::TrustState& state);
  Status Save(const formats::TrustState& state);
  Status RunRelease(formats::TrustState& state, const Bytes& envelope, MemoryPayloadSource& source);

  std::string directory_;
  std::unique_ptr<VirtualBoard> board_;
  std::unique_ptr<DevicePort> port_;
  Bytes nonce_;
  uint8_t next_nonce_ = 1;
  uint64_t clock_s_ = 0;  // from freshness alone
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
  /// The freshness key is `freshness`, or another whose private part somebody else has.
  Scene();
  explicit Scene(const crypto::P256PublicKey& freshness_key);

  /// The device's root metadata at the start: 2 of 3 root keys; models "kws" and "vision-*" by
  /// `release`, model "main" by `release` and `second_release` together.
  formats::RootSpec root;
  std::unique_ptr<crypto::PemKey> root_keys[3];
  std::unique_ptr<crypto::PemKey> new_root_key;
  std::unique_ptr<crypto::PemKey> release;
  std::unique_ptr<crypto::PemKey> second_release;
  std::unique_ptr<crypto::PemKey> freshness;
  std::unique_ptr<crypto::PemKey> stranger;
  std::unique_ptr<TrustingDevice> device;
  std::vector<Bytes> signed_roots;  // all versions that Rotate has made, and the first
  uint64_t now_s = 1'800'000'000;
  uint64_t good_sequence = 1'000;  // of the update that must still be taken at the end

  Bytes SignRoot(const formats::RootSpec& spec, const std::vector<crypto::SigningKey*>& signers);
  std::vector<crypto::SigningKey*> RootSigners() {
    return {root_keys[0].get(), root_keys[1].get()};
  }
  /// A server that holds the roots, and offers "kws" with that number if it is not 0.
  MemoryServer MakeServer(uint64_t sequence_number = 0);
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

 private:
  Scene(std::unique_ptr<crypto::PemKey> own_freshness, const crypto::P256PublicKey* named);
};

}  // namespace ota::simulator
