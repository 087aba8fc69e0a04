// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "server/artifact/digest.h"

// The append-only tree of RFC 9162, section 2.1: leaves and inner nodes are hashed apart (0x00 and
// 0x01 before them), the left part of n leaves is the largest power of two below n.

namespace ota::server {

Digest ComputeLeafDigest(ByteSpan entry);
Digest ComputeNodeDigest(const Digest& left, const Digest& right);

/// All complete subtrees of the leaves so far, so that roots and proofs take a number of steps
/// that grows with the logarithm of the size. 64 bytes for each leaf. Not thread-safe.
class MerkleTree {
 public:
  void Append(const Digest& leaf);

  uint64_t size() const { return levels_.empty() ? 0 : levels_[0].size(); }
  /// `index` is below size().
  const Digest& leaf(uint64_t index) const { return levels_[0][index]; }

  /// The root over the first `tree_size` leaves, at most size().
  Digest ComputeRoot(uint64_t tree_size) const;

  /// What shows that leaf `index` is in the tree of the first `tree_size` leaves;
  /// index < tree_size <= size().
  std::vector<Digest> InclusionProof(uint64_t index, uint64_t tree_size) const;

  /// What shows that the tree of `first_size` leaves is the beginning of that of `second_size`;
  /// first_size <= second_size <= size().
  std::vector<Digest> ConsistencyProof(uint64_t first_size, uint64_t second_size) const;

 private:
  Digest RangeDigest(uint64_t begin, uint64_t end) const;

  std::vector<std::vector<Digest>> levels_;  // levels_[k][i]: leaves [i * 2^k, (i + 1) * 2^k)
};

/// Whether `proof` shows that `leaf` is number `index` of the tree with that size and root.
bool VerifyInclusion(const Digest& leaf, uint64_t index, uint64_t tree_size,
                     std::span<const Digest> proof, const Digest& root);

/// Whether `proof` shows that the second tree is the first one with leaves appended. A first tree
/// without leaves is the beginning of each tree.
bool VerifyConsistency(uint64_t first_size, const Digest& first_root, uint64_t second_size,
                       const Digest& second_root, std::span<const Digest> proof);

}  // namespace ota::server
