// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "crypto/es256.h"
#include "crypto/hex_for_test.h"
#include "crypto/host/os_entropy.h"
#include "crypto/host/pem_key.h"
#include "formats/cose/content_key.h"
#include "formats/cose/cose_encrypt.h"
#include "formats/cose/cose_sign1.h"

namespace ota::formats {
namespace {

using crypto::SignatureForm;
using crypto::VerifyEs256;

Status VerifyMessage(ByteSpan bytes, const crypto::P256PublicKey& key, ByteSpan external_data,
                     SignatureForm form = SignatureForm::kLowerSOnly) {
  const Result<CoseSign1> message = DecodeCoseSign1(bytes);
  if (!message.ok()) return message.status();
  if (message->is_detached) return Status::kInvalidArgument;
  return VerifyEs256(key,
                     ComputeSign1Digest(message->protected_header, external_data, message->payload),
                     message->signature, form);
}

// Published by the COSE working group (its "ES256, external data" example).
const auto kPublishedKey = ArrayOfHex<64>(
    "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
    "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e");
const auto kPublished = BytesOfHex(
    "D28443A10126A10442313154546869732069732074686520636F6E74656E742E584010729CD711CB3813D8D8E944"
    "A8DA7111E7B258C9BDCA6135F7AE1ADBEE9509891267837E1E33BD36C150326AE62755C6BD8E540C3E8F92D7D225"
    "E8DB72B8820B");
const auto kPublishedExternal = BytesOfHex("11aa22bb33cc44dd55006699");

// The same group's message whose algorithm stands in the unprotected header.
const auto kUnprotectedAlgorithm = BytesOfHex(
    "D28441A0A201260442313154546869732069732074686520636F6E74656E742E584087DB0D2E5571843B78AC33EC"
    "B2830DF7B6E0A4D5B7376DE336B23C591C90C425317E56127FBE04370097CE347087B233BF722B64072BEB4486BD"
    "A4031D27244F");

TEST(CoseSign1, VerifiesThePublishedMessage) {
  EXPECT_EQ(VerifyMessage(kPublished, kPublishedKey, kPublishedExternal), Status::kOk);
  EXPECT_EQ(VerifyMessage(kPublished, kPublishedKey, {}), Status::kSignatureInvalid);
}

TEST(CoseSign1, RefusesAnAlgorithmThatNobodySigned) {
  EXPECT_EQ(DecodeCoseSign1(kUnprotectedAlgorithm).status(), Status::kSignatureAlgorithmRefused);
}

std::unique_ptr<crypto::PemKey> NewKey() { return std::move(*crypto::PemKey::Generate()); }

std::vector<uint8_t> SignedMessage(crypto::PemKey& key, ByteSpan key_id, ByteSpan payload) {
  const auto signature = key.Sign(ComputeSign1Digest(Es256ProtectedHeader(), {}, payload));
  std::vector<uint8_t> buffer(256);
  CborWriter writer(buffer);
  WriteCoseSign1(writer, key_id, payload, *signature);
  buffer.resize(writer.Finish()->size());
  return buffer;
}

TEST(CoseSign1, RefusesEveryFlippedBitButThoseOfTheKeyId) {
  const auto key = NewKey();
  const std::array<uint8_t, 4> key_id = {1, 2, 3, 4};
  const std::vector<uint8_t> bytes = SignedMessage(*key, key_id, BytesOfHex("7061796c6f6164"));
  ASSERT_EQ(VerifyMessage(bytes, key->public_key(), {}), Status::kOk);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<uint8_t> flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Status status = VerifyMessage(flipped, key->public_key(), {});
    if (status != Status::kOk) continue;
    const Result<CoseSign1> message = DecodeCoseSign1(flipped);
    EXPECT_FALSE(std::equal(key_id.begin(), key_id.end(), message->key_id.begin())) << bit;
  }
}

TEST(CoseSign1, RefusesOtherAlgorithmsAndUnknownHeaders) {
  const auto decode = [](std::string_view headers) {
    auto bytes = BytesOfHex("d284" + std::string(headers) + "415a5840");
    bytes.resize(bytes.size() + 64, 0x11);
    return DecodeCoseSign1(bytes).status();
  };
  EXPECT_EQ(decode("43a10126 a0"), Status::kOk);
  EXPECT_EQ(decode("43a10128 a0"), Status::kOk);
  EXPECT_EQ(decode("40 a0"), Status::kSignatureAlgorithmRefused);
  EXPECT_EQ(decode("41a0 a0"), Status::kSignatureAlgorithmRefused);
  EXPECT_EQ(decode("43a10100 a0"), Status::kSignatureAlgorithmRefused);          // reserved 0
  EXPECT_EQ(decode("43a10105 a0"), Status::kSignatureAlgorithmRefused);          // HMAC 256
  EXPECT_EQ(decode("43a10127 a0"), Status::kSignatureAlgorithmRefused);          // EdDSA
  EXPECT_EQ(decode("44a1013822 a0"), Status::kSignatureAlgorithmRefused);        // ES384
  EXPECT_EQ(decode("44a101382e a0"), Status::kSignatureAlgorithmRefused);        // ES256K
  EXPECT_EQ(decode("47a101646e6f6e65 a0"), Status::kSignatureAlgorithmRefused);  // "none"
  EXPECT_EQ(decode("43a101f6 a0"), Status::kSignatureAlgorithmRefused);
  EXPECT_EQ(decode("43a10126 a10126"), Status::kSignatureAlgorithmRefused);
  EXPECT_EQ(decode("46a20126028101 a0"), Status::kCoseHeaderRefused);  // critical
  EXPECT_EQ(decode("43a10126 a10541ff"), Status::kCoseHeaderRefused);
  EXPECT_EQ(decode("43a10126 a10440"), Status::kCoseHeaderRefused);
  EXPECT_EQ(decode("45a201260126 a0"), Status::kCoseHeaderRefused);        // duplicate key
  EXPECT_EQ(decode("44a1011806 a0"), Status::kSignatureAlgorithmRefused);  // overlong number
}

TEST(CoseSign1, RefusesOtherTagsCountsAndTrailingBytes) {
  std::vector<uint8_t> bytes = kPublished;
  bytes.push_back(0);
  EXPECT_EQ(DecodeCoseSign1(bytes).status(), Status::kCborTrailingBytes);
  bytes = kPublished;
  bytes[0] = 0xD1;  // COSE_Mac0
  EXPECT_EQ(DecodeCoseSign1(bytes).status(), Status::kCborTypeUnexpected);
  for (size_t length = 0; length < kPublished.size(); ++length) {
    EXPECT_FALSE(DecodeCoseSign1(ByteSpan(kPublished).first(length)).ok());
  }
}

// The examples of draft-ietf-suit-firmware-encryption: one image, sealed in three ways.
constexpr std::string_view kImage = "This is a real firmware image.";
const auto kSharedKey = ArrayOfHex<16>("61616161616161616161616161616161");
const auto kKeyId = BytesOfHex("6b69642d31");
const auto kContentKey = ArrayOfHex<16>("261DE6165070FB8951EC5D7B92A065FE");
const auto kInfo = BytesOfHex(
    "D8608440A20139FFFD0550DAE613B2E0DC55F4322BE38BDBA9DC68F6818340A2012204456B69642D315818CE3403"
    "5CE5C2E2666E46D4C131FC561DD190A6D26CFA1990");

TEST(CoseEncrypt, OpensTheDraftsCounterModeExample) {
  const Result<CoseEncrypt> message = DecodeCoseEncrypt(kInfo);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->cipher, ContentCipher::kAesCtr);
  const Result<CoseRecipient> recipient = FindRecipient(*message, kKeyId);
  ASSERT_TRUE(recipient.ok());
  crypto::OsEntropy entropy;
  ContentKeyOpening opening(entropy);
  crypto::AesKey key = {};
  EXPECT_EQ(opening.Step(0, key), Status::kWrongState);
  EXPECT_EQ(opening.Begin(*recipient, crypto::P256PrivateKey{}), Status::kWrongState);
  ASSERT_EQ(opening.Begin(*recipient, kSharedKey), Status::kOk);
  ASSERT_EQ(opening.Step(0, key), Status::kOk);
  EXPECT_EQ(key, kContentKey);
  auto payload = BytesOfHex("2BB8DB522AE978246CC775C3B0241BD4B0333FFDD2DB70C7EE7A4966E3B7");
  crypto::AesBlock iv;
  std::copy(message->iv.begin(), message->iv.end(), iv.begin());
  crypto::AesCtr(key, iv).Apply(0, payload);
  EXPECT_EQ(std::string(payload.begin(), payload.end()), kImage);
}

TEST(CoseEncrypt, WritesTheDraftsExampleByteForByte) {
  CoseRecipient recipient;
  recipient.key_id = kKeyId;
  recipient.wrapped_key = crypto::WrapAesKey(kSharedKey, kContentKey);
  std::array<uint8_t, 128> buffer;
  CborWriter writer(buffer);
  const auto iv = BytesOfHex("DAE613B2E0DC55F4322BE38BDBA9DC68");
  WriteCoseEncrypt(writer, ContentCipher::kAesCtr, iv, std::span(&recipient, 1));
  EXPECT_EQ(HexOf(*writer.Finish()), HexOf(kInfo));
}

TEST(CoseEncrypt, OpensTheDraftsGcmExample) {
  const auto content_key = ArrayOfHex<16>("15F785B5C931414411B4B71373A9C0F7");
  const auto wrapped = ArrayOfHex<24>("75603FFC9518D794713C8CA8A115A7FB32565A6D59534D62");
  crypto::AesKey unwrapped;
  ASSERT_EQ(crypto::UnwrapAesKey(kSharedKey, wrapped, unwrapped), Status::kOk);
  EXPECT_EQ(unwrapped, content_key);
  auto payload = BytesOfHex("758C4B7BBAE2C4C1D462423E0F0DC3164FFA7B85BB94D4BD6D7ED26AB32F");
  crypto::AesGcmDecryption decryption;
  ASSERT_EQ(
      decryption.Begin(content_key, ArrayOfHex<12>("F14AAB9D81D51F7AD943FE87"), kGcmAssociatedData),
      Status::kOk);
  ASSERT_EQ(decryption.Update(payload), Status::kOk);
  EXPECT_EQ(decryption.Finish(ArrayOfHex<16>("EB063385D4D3465927EC82CB5E198A59")), Status::kOk);
  EXPECT_EQ(std::string(payload.begin(), payload.end()), kImage);
}

TEST(CoseEncrypt, OpensTheDraftsKeyAgreementExample) {
  const auto own_key =
      ArrayOfHex<32>("60FE6DD6D85D5740A5349B6F91267EEAC5BA81B8CB53EE249E4B4EB102C476B3");
  CoseRecipient recipient;
  recipient.distribution = KeyDistribution::kEcdhEs;
  recipient.ephemeral_key = ArrayOfHex<64>(
      "EE0718F6B019C29CC611C18CEDE2214066DDCEDC2F0DBEF873CB224C715C1174"
      "279F2A88E4AB9E2ED30C0FCB69515B31B5D36725BFDB9AE02032ED4D5AB52CB8");
  recipient.wrapped_key = ArrayOfHex<24>("E28B4502E4F5151884A995405579006E9465C3E94E3E0808");
  crypto::OsEntropy entropy;
  ContentKeyOpening opening(entropy);
  crypto::AesKey key = {};
  ASSERT_EQ(opening.Begin(recipient, own_key), Status::kOk);
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = opening.Step(500, key);
  ASSERT_EQ(status, Status::kOk);
  EXPECT_EQ(key, kContentKey);
}

TEST(CoseEncrypt, GivesEachRecipientTheSameContentKey) {
  crypto::OsEntropy entropy;
  const auto device = NewKey(), ephemeral = NewKey();
  crypto::EcdhAgreement agreement(entropy);
  crypto::EcdhSecret secret;
  ASSERT_EQ(agreement.Begin(*ephemeral->private_key(), device->public_key()), Status::kOk);
  ASSERT_EQ(agreement.Step(0, secret), Status::kOk);
  std::array<CoseRecipient, 2> recipients;
  const auto device_id = BytesOfHex("d0"), group_id = BytesOfHex("60");
  recipients[0].distribution = KeyDistribution::kEcdhEs;
  recipients[0].key_id = device_id;
  recipients[0].ephemeral_key = ephemeral->public_key();
  ASSERT_EQ(WrapContentKey(secret, kContentKey, recipients[0].wrapped_key), Status::kOk);
  recipients[1].key_id = group_id;
  recipients[1].wrapped_key = crypto::WrapAesKey(kSharedKey, kContentKey);
  std::array<uint8_t, 512> buffer;
  CborWriter writer(buffer);
  WriteCoseEncrypt(writer, ContentCipher::kAesGcm, BytesOfHex("000102030405060708090a0b"),
                   recipients);
  const Result<CoseEncrypt> message = DecodeCoseEncrypt(*writer.Finish());
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->cipher, ContentCipher::kAesGcm);
  ContentKeyOpening opening(entropy);
  crypto::AesKey key = {};
  ASSERT_EQ(opening.Begin(*FindRecipient(*message, device_id), *device->private_key()),
            Status::kOk);
  ASSERT_EQ(opening.Step(0, key), Status::kOk);
  EXPECT_EQ(key, kContentKey);
  ASSERT_EQ(opening.Begin(*FindRecipient(*message, group_id), kSharedKey), Status::kOk);
  ASSERT_EQ(opening.Step(0, key), Status::kOk);
  EXPECT_EQ(key, kContentKey);
  ASSERT_EQ(opening.Begin(*FindRecipient(*message, device_id), *ephemeral->private_key()),
            Status::kOk);
  EXPECT_EQ(opening.Step(0, key), Status::kDecryptionFailed);
  EXPECT_EQ(FindRecipient(*message, kKeyId).status(), Status::kCoseRecipientMissing);
}

TEST(CoseEncrypt, RefusesWhatItDoesNotKnow) {
  const auto replaced = [](size_t at, uint8_t byte) {
    std::vector<uint8_t> bytes = kInfo;
    bytes[at] = byte;
    return DecodeCoseEncrypt(bytes).status();
  };
  EXPECT_EQ(replaced(1, 0x62), Status::kCborTypeUnexpected);  // COSE_Sign
  EXPECT_EQ(replaced(8, 0xFC), Status::kNotSupported);        // another cipher
  EXPECT_EQ(replaced(9, 0x06), Status::kCoseHeaderRefused);   // partial IV
  for (size_t length = 0; length < kInfo.size(); ++length) {
    EXPECT_FALSE(DecodeCoseEncrypt(ByteSpan(kInfo).first(length)).ok());
  }
}

}  // namespace
}  // namespace ota::formats
