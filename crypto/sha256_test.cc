// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hex_for_test.h"

namespace ota::crypto {
namespace {

ByteSpan BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The examples of NIST's Cryptographic Standards and Guidelines page for FIPS 180-4.
constexpr std::string_view kOneBlock = "abc";
constexpr std::string_view kOneBlockDigest =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kTwoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
constexpr std::string_view kTwoBlocksDigest =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(HexOf(ComputeSha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(ComputeSha256(BytesOf(kOneBlock))), kOneBlockDigest);
  EXPECT_EQ(HexOf(ComputeSha256(BytesOf(kTwoBlocks))), kTwoBlocksDigest);
}

TEST(Sha256, GivesTheDigestOfAMillionLettersInUnevenPieces) {
  const std::vector<uint8_t> letters(1'000'000, 'a');
  Sha256 hash;
  size_t piece = 1;
  for (size_t at = 0; at < letters.size(); piece = piece % 997 + 1) {
    const size_t length = std::min(piece, letters.size() - at);
    hash.Update(ByteSpan(letters).subspan(at, length));
    at += length;
  }
  EXPECT_EQ(HexOf(hash.Finish()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, ACopyCarriesOnFromWhereItWasMade) {
  Sha256 hash;
  hash.Update(BytesOf("ab"));
  Sha256 copy = hash;
  hash.Update(BytesOf("c"));
  copy.Update(BytesOf("x"));
  EXPECT_EQ(HexOf(hash.Finish()), kOneBlockDigest);
  EXPECT_EQ(copy.Finish(), ComputeSha256(BytesOf("abx")));
}

TEST(Sha256, IsNewAfterFinish) {
  Sha256 hash;
  hash.Update(BytesOf("something else"));
  (void)hash.Finish();  // only the state after it matters here
  hash.Update(BytesOf(kTwoBlocks));
  EXPECT_EQ(HexOf(hash.Finish()), kTwoBlocksDigest);
}

}  // namespace
}  // namespace ota::crypto
