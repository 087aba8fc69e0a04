// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/merkle_tree.h"

#include <algorithm>
#include <array>

namespace ota::formats {

using crypto::Sha256;
using crypto::Sha256Digest;

namespace {

constexpr uint8_t kLeafPrefix = 0;
constexpr uint8_t kNodePrefix = 1;

using HashPair = std::array<Sha256Digest, 2>;

ByteSpan BytesOf(const HashPair& pair) { return {pair[0].data(), sizeof pair}; }

}  // namespace

void ComputePrefixedHash(uint8_t prefix, ByteSpan bytes, Sha256Digest& digest) {
  Sha256 hash;
  hash.Update(ByteSpan(&prefix, 1));
  hash.Update(bytes);
  hash.FinishInto(digest);
}

Sha256Digest ComputeLeafHash(ByteSpan bytes) {
  Sha256Digest digest;
  ComputePrefixedHash(kLeafPrefix, bytes, digest);
  return digest;
}

Sha256Digest ComputeNodeHash(const Sha256Digest& left, const Sha256Digest& right) {
  Sha256Digest digest;
  ComputePrefixedHash(kNodePrefix, BytesOf({left, right}), digest);
  return digest;
}

Status VerifyAuditPath(ByteSpan leaf, ByteSpan path, uint32_t index, const TreeHead& tree) {
  Sha256Digest hash;
  ComputePrefixedHash(kLeafPrefix, leaf, hash);
  bool is_proven = index < tree.size;
  for (uint32_t last = tree.size - 1; is_proven && last != 0; last /= 2, index /= 2) {
    if (index == last && index % 2 == 0) continue;
    is_proven = path.size() >= hash.size();
    if (!is_proven) break;
    HashPair pair;
    const uint32_t own = index % 2;
    pair[own] = hash;
    std::copy_n(path.begin(), hash.size(), pair[1 - own].begin());
    path = path.subspan(hash.size());
    ComputePrefixedHash(kNodePrefix, BytesOf(pair), hash);
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
