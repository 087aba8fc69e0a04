// SPDX-License-Identifier: Apache-2.0
#include "crypto/es256.h"

#include <gtest/gtest.h>

#include "crypto/hex_for_test.h"

namespace ota::crypto {
namespace {

// RFC 6979, appendix A.2.5: the key, and its signatures over "sample" (upper s) and "test" (lower).
const auto kKey = ArrayOfHex<64>(
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
const auto kUpper = ArrayOfHex<64>(
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
const auto kLower = ArrayOfHex<64>(
    "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083");
// n, the order of the curve.
const auto kOrder =
    ArrayOfHex<32>("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

Sha256Digest DigestOf(std::string_view text) {
  return ComputeSha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// n - s, big endian.
Es256Signature Malleate(Es256Signature signature) {
  int borrow = 0;
  for (size_t i = 32; i-- > 0;) {
    const int difference = kOrder[i] - signature[32 + i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    signature[32 + i] = static_cast<uint8_t>(difference);
  }
  return signature;
}

TEST(Es256, VerifiesTheSignaturesOfTheStandard) {
  EXPECT_EQ(VerifyEs256(kKey, DigestOf("test"), kLower), Status::kOk);
  EXPECT_EQ(VerifyEs256(kKey, DigestOf("sample"), kUpper, SignatureForm::kAny), Status::kOk);
}

TEST(Es256, RefusesTheUpperSUnlessAskedNotTo) {
  EXPECT_EQ(VerifyEs256(kKey, DigestOf("sample"), kUpper), Status::kSignatureMalleated);
  EXPECT_EQ(VerifyEs256(kKey, DigestOf("sample"), Malleate(kUpper)), Status::kOk);
  EXPECT_EQ(VerifyEs256(kKey, DigestOf("test"), Malleate(kLower)), Status::kSignatureMalleated);
  EXPECT_EQ(VerifyEs256(kKey, DigestOf("test"), Malleate(kLower), SignatureForm::kAny),
            Status::kOk);
}

TEST(Es256, RefusesEveryFlippedBitOfTheSignature) {
  const Sha256Digest digest = DigestOf("test");
  for (size_t bit = 0; bit < kLower.size() * 8; ++bit) {
    Es256Signature flipped = kLower;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_NE(VerifyEs256(kKey, digest, flipped, SignatureForm::kAny), Status::kOk) << bit;
  }
}

TEST(Es256, RefusesAnotherDigestOrKey) {
  EXPECT_EQ(VerifyEs256(kKey, DigestOf("tesT"), kLower), Status::kSignatureInvalid);
  // The private key 1: the base point itself.
  const auto base_point = ArrayOfHex<64>(
      "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
      "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5");
  EXPECT_EQ(VerifyEs256(base_point, DigestOf("test"), kLower), Status::kSignatureInvalid);
}

TEST(Es256, RefusesNumbersOutOfRange) {
  const Sha256Digest digest = DigestOf("test");
  Es256Signature zero_r = kLower, zero_s = kLower, large_r = kLower, large_s = kLower;
  std::fill_n(zero_r.begin(), 32, 0);
  std::fill_n(zero_s.begin() + 32, 32, 0);
  std::copy(kOrder.begin(), kOrder.end(), large_r.begin());
  std::copy(kOrder.begin(), kOrder.end(), large_s.begin() + 32);
  for (const Es256Signature& signature : {zero_r, zero_s, large_r, large_s, Es256Signature{}}) {
    EXPECT_EQ(VerifyEs256(kKey, digest, signature, SignatureForm::kAny), Status::kSignatureInvalid);
  }
}

TEST(Es256, RefusesASignatureOfAnotherLength) {
  const Sha256Digest digest = DigestOf("test");
  EXPECT_EQ(VerifyEs256(kKey, digest, ByteSpan(kLower).first(63)), Status::kSignatureInvalid);
  EXPECT_EQ(VerifyEs256(kKey, digest, {}), Status::kSignatureInvalid);
  std::array<uint8_t, 65> longer = {};
  std::copy(kLower.begin(), kLower.end(), longer.begin());
  EXPECT_EQ(VerifyEs256(kKey, digest, longer), Status::kSignatureInvalid);
}

TEST(Es256, RefusesAKeyThatIsNotOnTheCurve) {
  P256PublicKey off = kKey;
  off[63] ^= 1;
  EXPECT_EQ(VerifyEs256(off, DigestOf("test"), kLower), Status::kKeyInvalid);
  EXPECT_EQ(VerifyEs256(P256PublicKey{}, DigestOf("test"), kLower), Status::kKeyInvalid);
  // The base point of secp256k1, another curve of the same size.
  const auto other_curve = ArrayOfHex<64>(
      "79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"
      "483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8");
  EXPECT_EQ(VerifyEs256(other_curve, DigestOf("test"), kLower), Status::kKeyInvalid);
}

TEST(Es256, GivesTheSameResultInSteps) {
  Es256Verification verification;
  EXPECT_EQ(verification.Step(100), Status::kWrongState);
  ASSERT_EQ(verification.Begin(kKey, DigestOf("sample"), kUpper, SignatureForm::kAny), Status::kOk);
  ASSERT_EQ(verification.Begin(kKey, DigestOf("test"), kLower), Status::kOk);
  Status status = Status::kBusy;
  for (int steps = 0; status == Status::kBusy && steps < 10'000; ++steps) {
    status = verification.Step(300);
  }
  EXPECT_EQ(status, Status::kOk);
  EXPECT_EQ(verification.Step(300), Status::kWrongState);
}

}  // namespace
}  // namespace ota::crypto
