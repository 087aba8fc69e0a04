// SPDX-License-Identifier: Apache-2.0
#include "crypto/host/pem_key.h"

#include <gtest/gtest.h>

#include "crypto/ecdh.h"
#include "crypto/es256.h"
#include "crypto/host/os_entropy.h"

namespace ota::crypto {
namespace {

std::unique_ptr<PemKey> NewKey() {
  Result<std::unique_ptr<PemKey>> key = PemKey::Generate();
  EXPECT_TRUE(key.ok());
  return std::move(*key);
}

Sha256Digest DigestOf(uint8_t number) { return ComputeSha256(ByteSpan(&number, 1)); }

TEST(PemKey, SignsSoThatTheDeviceVerifiesWithTheLowerS) {
  const auto key = NewKey();
  for (uint8_t i = 0; i < 32; ++i) {
    const Result<Es256Signature> signature = key->Sign(DigestOf(i));
    ASSERT_TRUE(signature.ok());
    EXPECT_EQ(VerifyEs256(key->public_key(), DigestOf(i), *signature), Status::kOk);
    EXPECT_NE(VerifyEs256(key->public_key(), DigestOf(99), *signature), Status::kOk);
  }
}

TEST(PemKey, ComesBackFromPemWithAndWithoutPassphrase) {
  const auto key = NewKey();
  for (const std::string_view passphrase : {"", "correct horse"}) {
    const Result<std::string> pem = key->ToPem(passphrase);
    ASSERT_TRUE(pem.ok());
    EXPECT_EQ(IsEncryptedPem(*pem), !passphrase.empty());
    const auto again = PemKey::FromPem(*pem, passphrase);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ((*again)->public_key(), key->public_key());
    EXPECT_EQ(*(*again)->private_key(), *key->private_key());
  }
}

TEST(PemKey, RefusesTheWrongPassphrase) {
  const std::string pem = *NewKey()->ToPem("right");
  EXPECT_EQ(PemKey::FromPem(pem, "wrong").status(), Status::kKeyInvalid);
  EXPECT_EQ(PemKey::FromPem(pem, "").status(), Status::kKeyInvalid);
  EXPECT_EQ(PemKey::FromPem("no PEM at all", "").status(), Status::kKeyInvalid);
}

TEST(PemKey, RefusesAKeyOfAnotherCurve) {
  // openssl ecparam -name secp256k1 -genkey | openssl pkcs8 -topk8 -nocrypt
  constexpr std::string_view kOtherCurve =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgAAAAAAAAAAAAAAAAAAAA\n"
      "AAAAAAAAAAAAAAAAAAAAAAGhRANCAAR5vmZ++dy7rFWgYpXOhwsHApv82y3OKNlZ\n"
      "8oFbFvgXmEg62ncmo8RlXaT7/A4RCKj9F7RIpoVUGZxH0I/7ENS4\n"
      "-----END PRIVATE KEY-----\n";
  EXPECT_EQ(PemKey::FromPem(kOtherCurve, "").status(), Status::kKeyInvalid);
}

TEST(PemKey, PublicPartComesBackFromPem) {
  const auto key = NewKey();
  const Result<std::string> pem = EncodePublicPem(key->public_key());
  ASSERT_TRUE(pem.ok());
  const Result<P256PublicKey> again = DecodePublicPem(*pem);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, key->public_key());
  EXPECT_EQ(DecodePublicPem(*key->ToPem("")).status(), Status::kKeyInvalid);
  EXPECT_EQ(EncodePublicPem(P256PublicKey{}).status(), Status::kKeyInvalid);
}

TEST(PemKey, AgreesOnASecretWithAnother) {
  OsEntropy entropy;
  const auto first = NewKey(), second = NewKey();
  EcdhSecret one = {}, other = {};
  EcdhAgreement agreement(entropy);
  ASSERT_EQ(agreement.Begin(*first->private_key(), second->public_key()), Status::kOk);
  ASSERT_EQ(agreement.Step(0, one), Status::kOk);
  ASSERT_EQ(agreement.Begin(*second->private_key(), first->public_key()), Status::kOk);
  ASSERT_EQ(agreement.Step(0, other), Status::kOk);
  EXPECT_EQ(one, other);
}

}  // namespace
}  // namespace ota::crypto
