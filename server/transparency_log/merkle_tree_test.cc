// SPDX-License-Identifier: Apache-2.0
#include "server/transparency_log/merkle_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace ota::server {
namespace {

constexpr uint64_t kSizeMax = 70;

Digest Leaf(uint64_t index) {
  const std::string text = "entry " + std::to_string(index);
  return ComputeLeafDigest({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

MerkleTree MakeTree(uint64_t size) {
  MerkleTree tree;
  for (uint64_t i = 0; i < size; ++i) tree.Append(Leaf(i));
  return tree;
}

// RFC 9162, section 2.1.1, word for word.
Digest PlainRoot(uint64_t begin, uint64_t end) {
  if (end == begin) return ComputeDigest(ByteSpan());
  if (end - begin == 1) return Leaf(begin);
  uint64_t left = 1;
  while (left * 2 < end - begin) left *= 2;
  return ComputeNodeDigest(PlainRoot(begin, begin + left), PlainRoot(begin + left, end));
}

TEST(MerkleTree, HasTheKnownDigestsOfTheEmptyTreeAndTheEmptyLeaf) {
  EXPECT_EQ(HexText(MerkleTree().ComputeRoot(0)),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexText(ComputeLeafDigest({})),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(MerkleTree, HasTheRootsOfTheDefinitionForEachSize) {
  const MerkleTree tree = MakeTree(kSizeMax);
  for (uint64_t size = 0; size <= kSizeMax; ++size) {
    EXPECT_EQ(tree.ComputeRoot(size), PlainRoot(0, size)) << size;
  }
}

TEST(MerkleTree, ProvesEachLeafInEachTree) {
  const MerkleTree tree = MakeTree(kSizeMax);
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    const Digest root = tree.ComputeRoot(size);
    for (uint64_t index = 0; index < size; ++index) {
      std::vector<Digest> proof = tree.InclusionProof(index, size);
      ASSERT_TRUE(VerifyInclusion(Leaf(index), index, size, proof, root)) << index << "/" << size;
      EXPECT_FALSE(VerifyInclusion(Leaf(index + 1), index, size, proof, root));
      EXPECT_FALSE(VerifyInclusion(Leaf(index), index + 1, size, proof, root));
      EXPECT_FALSE(VerifyInclusion(Leaf(index), index, size, proof, Leaf(0)) && size > 1);
      proof.push_back(root);
      EXPECT_FALSE(VerifyInclusion(Leaf(index), index, size, proof, root)) << "too long";
      proof.pop_back();
      if (proof.empty()) continue;
      proof[0][5] ^= 1;
      EXPECT_FALSE(VerifyInclusion(Leaf(index), index, size, proof, root)) << "altered";
      proof.pop_back();
      EXPECT_FALSE(VerifyInclusion(Leaf(index), index, size, proof, root)) << "too short";
    }
  }
}

TEST(MerkleTree, ProvesThatEachTreeBeginsEachLaterOne) {
  const MerkleTree tree = MakeTree(kSizeMax);
  for (uint64_t second = 0; second <= kSizeMax; ++second) {
    const Digest second_root = tree.ComputeRoot(second);
    for (uint64_t first = 0; first <= second; ++first) {
      const Digest first_root = tree.ComputeRoot(first);
      std::vector<Digest> proof = tree.ConsistencyProof(first, second);
      ASSERT_TRUE(VerifyConsistency(first, first_root, second, second_root, proof))
          << first << " " << second;
      if (first == 0 || first == second) continue;
      EXPECT_FALSE(VerifyConsistency(first, Leaf(99), second, second_root, proof));
      EXPECT_FALSE(VerifyConsistency(first, first_root, second, Leaf(99), proof));
      EXPECT_FALSE(VerifyConsistency(second, second_root, first, first_root, proof));
      proof.back()[31] ^= 0x80;
      EXPECT_FALSE(VerifyConsistency(first, first_root, second, second_root, proof)) << "altered";
      proof.back()[31] ^= 0x80;
      proof.push_back(second_root);
      EXPECT_FALSE(VerifyConsistency(first, first_root, second, second_root, proof)) << "too long";
      EXPECT_FALSE(VerifyConsistency(first, first_root, second, second_root, {})) << "none";
    }
  }
}

TEST(MerkleTree, ShowsThatAnEntryWasAltered) {
  MerkleTree altered;
  for (uint64_t i = 0; i < 20; ++i) altered.Append(Leaf(i == 3 ? 77 : i));
  const MerkleTree tree = MakeTree(20);
  for (uint64_t first = 4; first < 20; ++first) {
    EXPECT_FALSE(VerifyConsistency(first, tree.ComputeRoot(first), 20, altered.ComputeRoot(20),
                                   altered.ConsistencyProof(first, 20)));
  }
}

}  // namespace
}  // namespace ota::server
