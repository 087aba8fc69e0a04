// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "formats/trust/trust_state.h"
#include "server/expected.h"
#include "server/release/refusal.h"

namespace ota::server {

/// The signed root metadata, every version from 1 on, as N.cbor in one directory: what devices that
/// slept through several rotations catch up with. Who may write there, or has the publisher's
/// token, may add a version; that it is a good one its signatures must show.
///
/// Invariants:
/// - each version is one that a device which holds the version before would take;
/// - what Add has returned for is on the disk, synced; a version is never replaced.
///
/// Thread-safe.
class RootStore {
 public:
  /// Opens the directory, which is made if missing, and takes what lies in it. Error: it cannot be
  /// made or read, or a version in it is none that a device would take.
  static Expected<std::unique_ptr<RootStore>> Open(const std::string& directory);

  /// Takes the versions that were put into the directory since. Error: a version is refused.
  Failure Refresh();

  /// Takes the next version. Refused: it is not the next, or a device would refuse it. The newest
  /// one may be sent again.
  std::optional<Refusal> Add(uint32_t version, const std::vector<uint8_t>& signed_root);

  /// 0: there is none.
  uint32_t newest_version() const;

  /// The signed bytes of a version, from 1 on; none: it is not here.
  std::optional<std::vector<uint8_t>> Find(uint32_t version) const;

  /// What a device believes that holds the newest version and has seen nothing else. kNotFound:
  /// there is no version.
  Status LoadNewest(formats::TrustState& state) const;

 private:
  explicit RootStore(std::string directory) : directory_(std::move(directory)) {}
  std::string PathOf(size_t version) const;
  Status Take(const std::vector<uint8_t>& signed_root);  // mutex_ is held

  const std::string directory_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::vector<uint8_t>> versions_;
  formats::TrustState newest_;
};

}  // namespace ota::server
