// SPDX-License-Identifier: Apache-2.0
#include "server/transparency_log/merkle_tree.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace ota::server {

namespace {

// The largest power of two below `count`, which is at least 2.
uint64_t LeftPart(uint64_t count) { return std::bit_floor(count - 1); }

bool IsRightChild(uint64_t index) { return (index & 1) != 0; }

// Goes up from a node that is the last of its level until it is a right child, or the root.
void SkipLoneLevels(uint64_t& index, uint64_t& last) {
  while (!IsRightChild(index) && index != 0) {
    index >>= 1;
    last >>= 1;
  }
}

}  // namespace

Digest ComputeLeafDigest(ByteSpan entry) {
  constexpr uint8_t kLeaf = 0x00;
  DigestStream stream;
  stream.Update({&kLeaf, 1});
  stream.Update(entry);
  return stream.Finish();
}

Digest ComputeNodeDigest(const Digest& left, const Digest& right) {
  constexpr uint8_t kNode = 0x01;
  DigestStream stream;
  stream.Update({&kNode, 1});
  stream.Update(left);
  stream.Update(right);
  return stream.Finish();
}

void MerkleTree::Append(const Digest& leaf) {
  Digest digest = leaf;
  for (size_t level = 0;; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    levels_[level].push_back(digest);
    const size_t count = levels_[level].size();
    if (count % 2 != 0) return;
    digest = ComputeNodeDigest(levels_[level][count - 2], levels_[level][count - 1]);
  }
}

Digest MerkleTree::RangeDigest(uint64_t begin, uint64_t end) const {
  const uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const auto level = static_cast<size_t>(std::countr_zero(count));
    return levels_[level][begin >> level];
  }
  const uint64_t middle = begin + LeftPart(count);
  return ComputeNodeDigest(RangeDigest(begin, middle), RangeDigest(middle, end));
}

Digest MerkleTree::ComputeRoot(uint64_t tree_size) const {
  assert(tree_size <= size());
  return tree_size == 0 ? ComputeDigest(ByteSpan()) : RangeDigest(0, tree_size);
}

std::vector<Digest> MerkleTree::InclusionProof(uint64_t index, uint64_t tree_size) const {
  assert(index < tree_size && tree_size <= size());
  std::vector<Digest> proof;
  uint64_t begin = 0;
  uint64_t end = tree_size;
  while (end - begin > 1) {
    const uint64_t middle = begin + LeftPart(end - begin);
    if (index < middle) {
      proof.push_back(RangeDigest(middle, end));
      end = middle;
    } else {
      proof.push_back(RangeDigest(begin, middle));
      begin = middle;
    }
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

std::vector<Digest> MerkleTree::ConsistencyProof(uint64_t first_size, uint64_t second_size) const {
  assert(first_size <= second_size && second_size <= size());
  std::vector<Digest> proof;
  if (first_size == 0 || first_size == second_size) return proof;
  uint64_t begin = 0;
  uint64_t end = second_size;
  while (first_size != end) {
    const uint64_t middle = begin + LeftPart(end - begin);
    if (first_size <= middle) {
      proof.push_back(RangeDigest(middle, end));
      end = middle;
    } else {
      proof.push_back(RangeDigest(begin, middle));
      begin = middle;
    }
  }
  if (begin != 0) proof.push_back(RangeDigest(begin, end));  // Else it is the first root itself.
  std::reverse(proof.begin(), proof.end());
  return proof;
}

bool VerifyInclusion(const Digest& leaf, uint64_t index, uint64_t tree_size,
                     std::span<const Digest> proof, const Digest& root) {
  if (index >= tree_size) return false;
  uint64_t last = tree_size - 1;
  Digest digest = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return false;
    if (IsRightChild(index) || index == last) {
      digest = ComputeNodeDigest(sibling, digest);
      SkipLoneLevels(index, last);
    } else {
      digest = ComputeNodeDigest(digest, sibling);
    }
    index >>= 1;
    last >>= 1;
  }
  return last == 0 && digest == root;
}

bool VerifyConsistency(uint64_t first_size, const Digest& first_root, uint64_t second_size,
                       const Digest& second_root, std::span<const Digest> proof) {
  if (first_size > second_size) return false;
  if (first_size == 0) return proof.empty();
  if (first_size == second_size) return proof.empty() && first_root == second_root;
  uint64_t index = first_size - 1;
  uint64_t last = second_size - 1;
  while (IsRightChild(index)) {
    index >>= 1;
    last >>= 1;
  }
  // A complete first tree is a node of the second one, and so not in the proof.
  Digest first = first_root;
  if (!std::has_single_bit(first_size)) {
    if (proof.empty()) return false;
    first = proof[0];
    proof = proof.subspan(1);
  }
  Digest second = first;
  for (const Digest& sibling : proof) {
    if (last == 0) return false;
    if (IsRightChild(index) || index == last) {
      first = ComputeNodeDigest(sibling, first);
      second = ComputeNodeDigest(sibling, second);
      SkipLoneLevels(index, last);
    } else {
      second = ComputeNodeDigest(second, sibling);
    }
    index >>= 1;
    last >>= 1;
  }
  return last == 0 && first == first_root && second == second_root;
}

}  // namespace ota::server
