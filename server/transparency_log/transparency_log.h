// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/host/pem_key.h"
#include "server/expected.h"
#include "server/transparency_log/merkle_tree.h"
#include "server/transparency_log/tree_head.h"

namespace ota::server {

/// Longest entry.
inline constexpr uint32_t kLogEntryBytesMax = 64 * 1024;

/// The append-only log of accepted manifests. In its directory: `entries` (for each entry its
/// length as 4 bytes, little-endian, its leaf digest, its bytes), `head` (the newest tree head),
/// `key.pem` (the log's own key, mode 0600) and `key.pub.pem`.
///
/// Invariants:
/// - an entry whose Append returned survives kill -9 and power cuts, with its number;
/// - a head is signed only over entries that are synced, and never over fewer than one before;
/// - what Open finds behind the last head is kept if it is whole (it was synced but not yet
///   acknowledged) and cut off if not; damage before that is an Error, never repaired in silence.
///
/// Thread-safe.
class TransparencyLog {
 public:
  struct Inclusion {
    uint64_t index = 0;
    uint64_t tree_size = 0;
    std::vector<Digest> path;
  };

  /// Opens the log, which is made if missing. Error: what cannot be read or written, or is damaged.
  static Expected<std::unique_ptr<TransparencyLog>> Open(const std::string& directory);
  ~TransparencyLog();

  /// Appends and syncs; returns the number of the entry. An entry that is there already gets no
  /// second number. Error: it could not be stored (disk full); the log is as it was.
  Expected<uint64_t> Append(ByteSpan entry);

  /// The newest head, signed within the last minute.
  TreeHead ReadHead();

  /// The newest head as it was signed last, perhaps long ago.
  TreeHead known_head() const;

  const crypto::P256PublicKey& public_key() const { return key_->public_key(); }

  /// kNotFound: no such entry. kMediumFailed: it cannot be read.
  Result<std::vector<uint8_t>> ReadEntry(uint64_t index) const;

  /// kNotFound: no entry with that leaf digest among the first `tree_size`, or not so many entries.
  Result<Inclusion> ProveInclusion(const Digest& leaf, uint64_t tree_size) const;

  /// kNotFound: not so many entries, or first_size > second_size.
  Result<std::vector<Digest>> ProveConsistency(uint64_t first_size, uint64_t second_size) const;

 private:
  struct Place {
    uint64_t offset = 0;
    uint32_t length = 0;
  };

  explicit TransparencyLog(std::string directory) : directory_(std::move(directory)) {}
  Failure LoadKey();
  Failure LoadEntries();
  Failure CutTail(const TreeHead& head, uint64_t file_bytes);
  std::optional<Digest> ReadRecord(uint64_t offset, uint64_t file_bytes, uint32_t& length) const;
  Failure StoreRecord(ByteSpan entry, const Digest& leaf);
  void Remember(const Digest& leaf, uint32_t length);
  Failure SignHead();
  Result<TreeHead> MakeHead(uint64_t time_s) const;

  const std::string directory_;
  int descriptor_ = -1;
  std::unique_ptr<crypto::PemKey> key_;

  mutable std::mutex mutex_;  // guards what follows
  MerkleTree tree_;
  std::vector<Place> places_;
  std::map<Digest, uint64_t> indices_;
  uint64_t end_offset_ = 0;
  TreeHead head_;
  bool is_broken_ = false;  // A failed write could not be taken back; nothing is appended any more.
};

}  // namespace ota::server
