// SPDX-License-Identifier: Apache-2.0
#include "crypto/ecdh.h"

#include <gtest/gtest.h>

#include "crypto/constant_time.h"
#include "crypto/hex_for_test.h"
#include "crypto/hkdf.h"
#include "crypto/host/os_entropy.h"
#include "crypto/host/pem_key.h"

namespace ota::crypto {
namespace {

class FailingEntropy final : public Entropy {
 public:
  Status Fill(MutableByteSpan) override { return Status::kEntropyUnavailable; }
};

// RFC 5903, section 8.1.
const auto kOwn =
    ArrayOfHex<32>("C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
const auto kTheirs = ArrayOfHex<64>(
    "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
    "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB");
const auto kSecret =
    ArrayOfHex<32>("D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE");

TEST(EcdhAgreement, GivesTheSecretOfTheStandard) {
  OsEntropy entropy;
  EcdhAgreement agreement(entropy);
  EcdhSecret secret = {};
  EXPECT_EQ(agreement.Step(0, secret), Status::kWrongState);
  ASSERT_EQ(agreement.Begin(kOwn, kTheirs), Status::kOk);
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = agreement.Step(300, secret);
  ASSERT_EQ(status, Status::kOk);
  EXPECT_EQ(secret, kSecret);
}

TEST(EcdhAgreement, RefusesKeysThatAreNone) {
  OsEntropy entropy;
  EcdhAgreement agreement(entropy);
  P256PublicKey off = kTheirs;
  off[0] ^= 1;
  EXPECT_EQ(agreement.Begin(kOwn, off), Status::kKeyInvalid);
  EXPECT_EQ(agreement.Begin(P256PrivateKey{}, kTheirs), Status::kKeyInvalid);
  P256PrivateKey large;
  large.fill(0xFF);
  EXPECT_EQ(agreement.Begin(large, kTheirs), Status::kKeyInvalid);
}

TEST(EcdhAgreement, SaysThatRandomnessFailed) {
  FailingEntropy entropy;
  EcdhAgreement agreement(entropy);
  EcdhSecret secret = {};
  ASSERT_EQ(agreement.Begin(kOwn, kTheirs), Status::kOk);
  EXPECT_EQ(agreement.Step(0, secret), Status::kEntropyUnavailable);
  EXPECT_EQ(agreement.Step(0, secret), Status::kWrongState);
}

// RFC 5869, appendix A.1 and A.3.
TEST(DeriveKey, GivesTheKeysOfTheStandard) {
  const auto secret = BytesOfHex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  std::array<uint8_t, 42> key = {};
  ASSERT_EQ(DeriveKey(secret, BytesOfHex("000102030405060708090a0b0c"),
                      BytesOfHex("f0f1f2f3f4f5f6f7f8f9"), key),
            Status::kOk);
  EXPECT_EQ(HexOf(key),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  ASSERT_EQ(DeriveKey(secret, {}, {}, key), Status::kOk);
  EXPECT_EQ(HexOf(key),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  std::vector<uint8_t> too_long(255 * 32 + 1);
  EXPECT_EQ(DeriveKey(secret, {}, {}, too_long), Status::kOutOfRange);
}

TEST(AreEqualInConstantTime, ComparesContentAndLength) {
  const std::array<uint8_t, 3> first = {1, 2, 3}, second = {1, 2, 4};
  EXPECT_TRUE(AreEqualInConstantTime(first, first));
  EXPECT_FALSE(AreEqualInConstantTime(first, second));
  EXPECT_FALSE(AreEqualInConstantTime(first, ByteSpan(first).first(2)));
  EXPECT_TRUE(AreEqualInConstantTime({}, {}));
}

TEST(WipeBytes, LeavesZeros) {
  std::array<uint8_t, 4> secret = {1, 2, 3, 4};
  WipeBytes(secret);
  EXPECT_EQ(secret, (std::array<uint8_t, 4>{}));
}

}  // namespace
}  // namespace ota::crypto
