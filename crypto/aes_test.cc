// SPDX-License-Identifier: Apache-2.0
#include "crypto/aes.h"

#include <gtest/gtest.h>

#include "crypto/hex_for_test.h"

namespace ota::crypto {
namespace {

// SP 800-38A, F.5.1.
const auto kCtrKey = ArrayOfHex<16>("2b7e151628aed2a6abf7158809cf4f3c");
const auto kCtrCounter = ArrayOfHex<16>("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
const auto kCtrPlain = BytesOfHex(
    "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710");
const auto kCtrSealed = BytesOfHex(
    "874d6191b620e3261bef6864990db6ce 9806f66b7970fdff8617187bb9fffdff"
    "5ae4df3edbd5d35e5b4f09020db03eab 1e031dda2fbe03d1792170a0f3009cee");

TEST(AesCtr, GivesTheBytesOfTheStandard) {
  AesCtr cipher(kCtrKey, kCtrCounter);
  std::vector<uint8_t> bytes = kCtrPlain;
  cipher.Apply(0, bytes);
  EXPECT_EQ(bytes, kCtrSealed);
}

TEST(AesCtr, GivesTheSameBytesFromAnyOffset) {
  AesCtr cipher(kCtrKey, kCtrCounter);
  for (size_t offset = 0; offset < kCtrSealed.size(); ++offset) {
    for (size_t length = 0; length <= kCtrSealed.size() - offset; ++length) {
      std::vector<uint8_t> bytes(kCtrSealed.begin() + static_cast<ptrdiff_t>(offset),
                                 kCtrSealed.begin() + static_cast<ptrdiff_t>(offset + length));
      cipher.Apply(offset, bytes);
      ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), kCtrPlain.data() + offset))
          << offset << "+" << length;
    }
  }
}

TEST(AesCtr, CarriesTheCounterThroughAllItsBytes) {
  AesBlock all_ones;
  all_ones.fill(0xFF);
  std::array<uint8_t, 32> from_ones = {}, from_zero = {};
  AesCtr(kCtrKey, all_ones).Apply(0, from_ones);
  AesCtr(kCtrKey, AesBlock{}).Apply(0, from_zero);
  EXPECT_TRUE(std::equal(from_ones.begin() + 16, from_ones.end(), from_zero.begin()));
  std::array<uint8_t, 16> seeked = {};
  AesCtr(kCtrKey, all_ones).Apply(16, seeked);
  EXPECT_TRUE(std::equal(seeked.begin(), seeked.end(), from_zero.begin()));
}

// McGrew and Viega, The Galois/Counter Mode of Operation, test case 4.
const auto kGcmKey = ArrayOfHex<16>("feffe9928665731c6d6a8f9467308308");
const auto kGcmNonce = ArrayOfHex<12>("cafebabefacedbaddecaf888");
const auto kGcmData = BytesOfHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const auto kGcmPlain = BytesOfHex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
const auto kGcmSealed = BytesOfHex(
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091");
const auto kGcmTag = ArrayOfHex<16>("5bc94fbc3221a5db94fae95ae7121a47");

TEST(AesGcm, GivesTheBytesAndTagOfThePublishedCase) {
  std::vector<uint8_t> bytes = kGcmPlain;
  AesBlock tag;
  ASSERT_EQ(EncryptAesGcm(kGcmKey, kGcmNonce, kGcmData, bytes, tag), Status::kOk);
  EXPECT_EQ(bytes, kGcmSealed);
  EXPECT_EQ(tag, kGcmTag);
}

TEST(AesGcm, DecryptsInPieces) {
  std::vector<uint8_t> bytes = kGcmSealed;
  AesGcmDecryption decryption;
  EXPECT_EQ(decryption.Update(bytes), Status::kWrongState);
  ASSERT_EQ(decryption.Begin(kGcmKey, kGcmNonce, kGcmData), Status::kOk);
  ASSERT_EQ(decryption.Update(MutableByteSpan(bytes).first(16)), Status::kOk);
  ASSERT_EQ(decryption.Update(MutableByteSpan(bytes).subspan(16)), Status::kOk);
  EXPECT_EQ(decryption.Finish(kGcmTag), Status::kOk);
  EXPECT_EQ(bytes, kGcmPlain);
}

TEST(AesGcm, RefusesWhatWasChanged) {
  const auto finish = [](ByteSpan sealed, ByteSpan data, const AesBlock& tag) {
    std::vector<uint8_t> bytes(sealed.begin(), sealed.end());
    AesGcmDecryption decryption;
    EXPECT_EQ(decryption.Begin(kGcmKey, kGcmNonce, data), Status::kOk);
    EXPECT_EQ(decryption.Update(bytes), Status::kOk);
    return decryption.Finish(tag);
  };
  std::vector<uint8_t> sealed = kGcmSealed, data = kGcmData;
  AesBlock tag = kGcmTag;
  sealed[20] ^= 1;
  data[3] ^= 0x80;
  tag[15] ^= 1;
  EXPECT_EQ(finish(kGcmSealed, kGcmData, kGcmTag), Status::kOk);
  EXPECT_EQ(finish(sealed, kGcmData, kGcmTag), Status::kDecryptionFailed);
  EXPECT_EQ(finish(kGcmSealed, data, kGcmTag), Status::kDecryptionFailed);
  EXPECT_EQ(finish(kGcmSealed, kGcmData, tag), Status::kDecryptionFailed);
}

// RFC 3394, section 4.1.
const auto kWrapping = ArrayOfHex<16>("000102030405060708090A0B0C0D0E0F");
const auto kWrappedPlain = ArrayOfHex<16>("00112233445566778899AABBCCDDEEFF");
const auto kWrapped = ArrayOfHex<24>("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");

TEST(AesKeyWrap, WrapsAndUnwrapsAsTheStandardSays) {
  EXPECT_EQ(WrapAesKey(kWrapping, kWrappedPlain), kWrapped);
  AesKey key;
  ASSERT_EQ(UnwrapAesKey(kWrapping, kWrapped, key), Status::kOk);
  EXPECT_EQ(key, kWrappedPlain);
}

TEST(AesKeyWrap, RefusesEveryFlippedBit) {
  for (size_t bit = 0; bit < kWrapped.size() * 8; ++bit) {
    WrappedKey flipped = kWrapped;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    AesKey key;
    ASSERT_EQ(UnwrapAesKey(kWrapping, flipped, key), Status::kDecryptionFailed) << bit;
  }
}

}  // namespace
}  // namespace ota::crypto
