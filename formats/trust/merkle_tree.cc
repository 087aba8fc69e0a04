// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/merkle_tree.h"

#include <utility>

namespace ota::formats {

using crypto::Sha256;
using crypto::Sha256Digest;

Sha256Digest ComputePrefixedHash(uint8_t prefix, ByteSpan first, ByteSpan second) {
  Sha256 hash;
  hash.Update(ByteSpan(&prefix, 1));
  hash.Update(first);
  hash.Update(second);
  return hash.Finish();
}

Sha256Digest ComputeLeafHash(ByteSpan bytes) { return ComputePrefixedHash(0, bytes, {}); }

Sha256Digest ComputeNodeHash(const Sha256Digest& left, const Sha256Digest& right) {
  return ComputePrefixedHash(1, left, right);
}

Status VerifyAuditPath(ByteSpan leaf, ByteSpan path, uint32_t index, const TreeHead& tree) {
  Sha256Digest hash = ComputeLeafHash(leaf);
  bool is_proven = index < tree.size;
  for (uint32_t last = tree.size - 1; is_proven && last != 0; last /= 2, index /= 2) {
    if (index == last && index % 2 == 0) continue;
    is_proven = path.size() >= hash.size();
    if (!is_proven) break;
    ByteSpan left = hash;
    ByteSpan right = path.first(hash.size());
    path = path.subspan(hash.size());
    if (index % 2 != 0) std::swap(left, right);
    hash = ComputePrefixedHash(1, left, right);
  }
  is_proven = is_proven && path.empty() && AreEqual(hash, tree.root);
  return is_proven ? Status::kOk : Status::kDigestMismatch;
}

size_t CountTreeNodes(size_t leaf_count) {
  size_t nodes = leaf_count;
  while (leaf_count > 1) {
    leaf_count = (leaf_count + 1) / 2;
    nodes += leaf_count;
  }
  return nodes;
}

void BuildTree(std::span<Sha256Digest> nodes, size_t leaf_count) {
  while (leaf_count > 1) {
    const std::span<Sha256Digest> above = nodes.subspan(leaf_count);
    for (size_t i = 0; i + 1 < leaf_count; i += 2) {
      above[i / 2] = ComputeNodeHash(nodes[i], nodes[i + 1]);
    }
    if (leaf_count % 2 == 1) above[leaf_count / 2] = nodes[leaf_count - 1];
    nodes = above;
    leaf_count = (leaf_count + 1) / 2;
  }
}

size_t FindAuditPath(std::span<const Sha256Digest> nodes, size_t leaf_count, size_t index,
                     std::span<Sha256Digest, kAuditPathHashesMax> path) {
  size_t count = 0;
  while (leaf_count > 1) {
    const size_t sibling = index ^ 1;
    if (sibling < leaf_count) path[count++] = nodes[sibling];
    nodes = nodes.subspan(leaf_count);
    index /= 2;
    leaf_count = (leaf_count + 1) / 2;
  }
  return count;
}

}  // namespace ota::formats
