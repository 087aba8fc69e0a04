// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "formats/trust/poll.h"
#include "server/artifact/artifact_store.h"
#include "server/release/root_store.h"

namespace ota::server {

/// A release that may be the newest one for some device.
struct OfferedRelease {
  using Id = std::array<uint8_t, formats::kUuidBytes>;

  formats::ComponentKind kind = formats::ComponentKind::kModel;
  std::string name;
  uint64_t sequence_number = 0;
  Id vendor_id{};
  std::vector<Id> class_ids;
  std::vector<uint8_t> device_id;  ///< Empty: any device.
  Digest payload_digest{};         ///< As it travels.
  Digest envelope_digest{};
  uint32_t envelope_bytes = 0;
  Digest log_leaf{};
  bool is_allowed = false;  ///< It verifies with the newest root metadata.

  /// Whether it is one for the device that asks.
  bool IsFor(const formats::PollQuestion& question) const;

  /// Whether it takes the place of `older` for every device that `older` is for.
  bool Supersedes(const OfferedRelease& older) const;
};

/// The releases that are on offer, in memory: of all published envelopes those that are the newest
/// of their component for some device. A release whose key was revoked is on offer no more; nor is
/// an older one in its place, since devices would take that for an attempt to hold them back.
/// Thread-safe.
class ReleaseIndex {
 public:
  using Releases = std::vector<OfferedRelease>;

  /// Both must outlive the index.
  ReleaseIndex(ArtifactStore& envelopes, const RootStore& roots)
      : envelopes_(envelopes), roots_(roots) {}

  /// Looks for what has changed: new envelopes, new root metadata. Does I/O.
  void Refresh();

  /// As of the last Refresh, in the order of their components; the newest of each comes first.
  std::shared_ptr<const Releases> releases() const;

  /// Those in whose place a newer one of the others is for all of their devices.
  std::shared_ptr<const Releases> superseded() const;

 private:
  std::optional<OfferedRelease> Read(const std::string& name, const Digest& digest,
                                     const formats::TrustState& trust);
  void ReadAll(const formats::TrustState& trust, bool is_root_known);

  ArtifactStore& envelopes_;
  const RootStore& roots_;
  std::mutex refresh_mutex_;  // one Refresh at a time; guards root_version_ and known_
  uint32_t root_version_ = 0;
  std::map<Digest, OfferedRelease> known_;  // all, by their envelopes
  mutable std::mutex mutex_;                // guards releases_ and superseded_
  std::shared_ptr<const Releases> releases_ = std::make_shared<Releases>();
  std::shared_ptr<const Releases> superseded_ = std::make_shared<Releases>();
};

}  // namespace ota::server
