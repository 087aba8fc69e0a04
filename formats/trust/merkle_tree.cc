// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/merkle_tree.h"

#include <algorithm>

namespace ota::formats {

using crypto::Sha256;
using crypto::Sha256Digest;

Sha256Digest ComputeLeafHash(ByteSpan bytes) {
  const uint8_t prefix = 0;
  Sha256 hash;
  hash.Update(ByteSpan(&prefix, 1));
  hash.Update(bytes);
  return hash.Finish();
}

Sha256Digest ComputeNodeHash(const Sha256Digest& left, const Sha256Digest& right) {
  const uint8_t prefix = 1;
  Sha256 hash;
  hash.Update(ByteSpan(&prefix, 1));
  hash.Update(left);
  hash.Update(right);
  return hash.Finish();
}

Status VerifyAuditPath(const Sha256Digest& leaf, uint32_t index, uint32_t leaf_count, ByteSpan path,
                       ByteSpan root) {
  if (index >= leaf_count || path.size() % crypto::kSha256Bytes != 0) {
    return Status::kDigestMismatch;
  }
  Sha256Digest hash = leaf;
  uint32_t last = leaf_count - 1;
  while (last != 0) {
    const bool is_left = index % 2 == 0;
    if (!is_left || index != last) {
      if (path.empty()) return Status::kDigestMismatch;
      Sha256Digest sibling;
      std::copy_n(path.begin(), sibling.size(), sibling.begin());
      path = path.subspan(sibling.size());
      hash = is_left ? ComputeNodeHash(hash, sibling) : ComputeNodeHash(sibling, hash);
    }
    index /= 2;
    last /= 2;
  }
  const bool is_proven =
      path.empty() && std::equal(hash.begin(), hash.end(), root.begin(), root.end());
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
