// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"

// Merkle trees of RFC 6962 (section 2.1): a leaf is SHA-256(00 || bytes), a node SHA-256(01 || left
// || right), and an odd node at the end of a level goes up as it is.

namespace ota::formats {

/// A tree as it is known by: how many leaves it has, and its root of 32 bytes.
struct TreeHead {
  uint32_t size = 0;
  ByteSpan root;
};

/// SHA-256(prefix || bytes).
void ComputePrefixedHash(uint8_t prefix, ByteSpan bytes, crypto::Sha256Digest& digest);

crypto::Sha256Digest ComputeLeafHash(ByteSpan bytes);
crypto::Sha256Digest ComputeNodeHash(const crypto::Sha256Digest& left,
                                     const crypto::Sha256Digest& right);

/// The longest audit path: of a tree with 2^32 leaves.
inline constexpr size_t kAuditPathHashesMax = 32;

/// Whether these bytes are the leaf at `index` of the tree; `path` are the hashes beside the way
/// up, 32 bytes each, from the leaf. kDigestMismatch: they are not.
Status VerifyAuditPath(ByteSpan leaf, ByteSpan path, uint32_t index, const TreeHead& tree);

/// How many nodes a tree over so many leaves has, leaves included.
size_t CountTreeNodes(size_t leaf_count);

/// Fills the tree: `nodes` are CountTreeNodes(leaf_count) of them, the leaf hashes first; the root
/// comes to lie last. `leaf_count` is not 0.
void BuildTree(std::span<crypto::Sha256Digest> nodes, size_t leaf_count);

/// Writes the audit path of a leaf of that tree to `path` and returns how many hashes it has.
size_t FindAuditPath(std::span<const crypto::Sha256Digest> nodes, size_t leaf_count, size_t index,
                     std::span<crypto::Sha256Digest, kAuditPathHashesMax> path);

}  // namespace ota::formats
