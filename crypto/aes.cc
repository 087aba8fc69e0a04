// SPDX-License-Identifier: Apache-2.0
#include "crypto/aes.h"

#include <mbedtls/aes.h>
#include <mbedtls/gcm.h>

#include <algorithm>
#include <new>

#include "crypto/constant_time.h"

namespace ota::crypto {
namespace {

template <typename Context, size_t kBytes>
Context* ContextIn(std::array<uint8_t, kBytes>& storage) {
  static_assert(sizeof(Context) <= kBytes);
  return std::launder(reinterpret_cast<Context*>(storage.data()));
}

// Adds `blocks` to a big-endian counter.
void AddToCounter(AesBlock& counter, uint64_t blocks) {
  for (size_t i = counter.size(); i-- > 0 && blocks != 0;) {
    blocks += counter[i];
    counter[i] = static_cast<uint8_t>(blocks);
    blocks >>= 8;
  }
}

// One block with a key of 16 bytes; neither can fail for these arguments.
class Cipher {
 public:
  Cipher(const AesKey& key, int mode) : mode_(mode) {
    mbedtls_aes_init(&context_);
    if (mode == MBEDTLS_AES_ENCRYPT) {
      (void)mbedtls_aes_setkey_enc(&context_, key.data(), 128);  // see above
    } else {
      (void)mbedtls_aes_setkey_dec(&context_, key.data(), 128);  // see above
    }
  }
  ~Cipher() { mbedtls_aes_free(&context_); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  void Apply(AesBlock& block) {
    (void)mbedtls_aes_crypt_ecb(&context_, mode_, block.data(), block.data());  // see above
  }

 private:
  mbedtls_aes_context context_;
  int mode_;
};

constexpr uint64_t kWrapInitialValue = 0xA6A6A6A6A6A6A6A6;
constexpr size_t kWrapRounds = 6;

}  // namespace

AesCtr::AesCtr(const AesKey& key, const AesBlock& initial_counter)
    : initial_counter_(initial_counter) {
  static_assert(sizeof(mbedtls_aes_context) <= sizeof(context_));
  auto* const context = new (context_.data()) mbedtls_aes_context;
  mbedtls_aes_init(context);
  (void)mbedtls_aes_setkey_enc(context, key.data(), 128);  // 128 is always a length it takes
}

AesCtr::~AesCtr() { mbedtls_aes_free(ContextIn<mbedtls_aes_context>(context_)); }

void AesCtr::Apply(uint64_t offset, MutableByteSpan bytes) {
  AesBlock counter = initial_counter_;
  AddToCounter(counter, offset / kAesBlockBytes);
  AesBlock stream = {};
  size_t used = offset % kAesBlockBytes;
  auto* const context = ContextIn<mbedtls_aes_context>(context_);
  if (used != 0) {
    (void)mbedtls_aes_crypt_ecb(context, MBEDTLS_AES_ENCRYPT, counter.data(), stream.data());
    AddToCounter(counter, 1);
  }
  // Fails only for a bad `used`, which is below 16.
  (void)mbedtls_aes_crypt_ctr(context, bytes.size(), &used, counter.data(), stream.data(),
                              bytes.data(), bytes.data());
  WipeBytes(stream);
}

AesGcmDecryption::~AesGcmDecryption() { Abandon(); }

Status AesGcmDecryption::Begin(const AesKey& key, const GcmNonce& nonce, ByteSpan associated_data) {
  Abandon();
  auto* const context = new (context_.data()) mbedtls_gcm_context;
  mbedtls_gcm_init(context);
  is_in_progress_ = true;
  int error = mbedtls_gcm_setkey(context, MBEDTLS_CIPHER_ID_AES, key.data(), 128);
  if (error == 0) {
    error = mbedtls_gcm_starts(context, MBEDTLS_GCM_DECRYPT, nonce.data(), nonce.size(),
                               associated_data.data(), associated_data.size());
  }
  if (error == 0) return Status::kOk;
  Abandon();
  return Status::kCryptoMemoryFull;
}

Status AesGcmDecryption::Update(MutableByteSpan bytes) {
  if (!is_in_progress_) return Status::kWrongState;
  auto* const context = ContextIn<mbedtls_gcm_context>(context_);
  if (context->len % kAesBlockBytes != 0) return Status::kWrongState;
  const int error = mbedtls_gcm_update(context, bytes.size(), bytes.data(), bytes.data());
  return error == 0 ? Status::kOk : Status::kWrongState;
}

Status AesGcmDecryption::Finish(const AesBlock& tag) {
  if (!is_in_progress_) return Status::kWrongState;
  AesBlock computed = {};
  const int error = mbedtls_gcm_finish(ContextIn<mbedtls_gcm_context>(context_), computed.data(),
                                       computed.size());
  Abandon();
  const bool is_authentic = error == 0 && AreEqualInConstantTime(computed, tag);
  return is_authentic ? Status::kOk : Status::kDecryptionFailed;
}

void AesGcmDecryption::Abandon() {
  if (!is_in_progress_) return;
  mbedtls_gcm_free(ContextIn<mbedtls_gcm_context>(context_));
  is_in_progress_ = false;
}

Status EncryptAesGcm(const AesKey& key, const GcmNonce& nonce, ByteSpan associated_data,
                     MutableByteSpan bytes, AesBlock& tag) {
  mbedtls_gcm_context context;
  mbedtls_gcm_init(&context);
  int error = mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, key.data(), 128);
  if (error == 0) {
    error = mbedtls_gcm_crypt_and_tag(&context, MBEDTLS_GCM_ENCRYPT, bytes.size(), nonce.data(),
                                      nonce.size(), associated_data.data(), associated_data.size(),
                                      bytes.data(), bytes.data(), tag.size(), tag.data());
  }
  mbedtls_gcm_free(&context);
  return error == 0 ? Status::kOk : Status::kCryptoMemoryFull;
}

WrappedKey WrapAesKey(const AesKey& wrapping_key, const AesKey& key) {
  Cipher cipher(wrapping_key, MBEDTLS_AES_ENCRYPT);
  WrappedKey wrapped;
  StoreBe64(wrapped.data(), kWrapInitialValue);
  std::copy(key.begin(), key.end(), wrapped.begin() + 8);
  uint64_t step = 1;
  for (size_t round = 0; round < kWrapRounds; ++round) {
    for (size_t half = 1; half <= 2; ++half, ++step) {
      AesBlock block;
      std::copy_n(wrapped.begin(), 8, block.begin());
      std::copy_n(wrapped.data() + 8 * half, 8, block.data() + 8);
      cipher.Apply(block);
      StoreBe64(wrapped.data(), LoadBe64(block.data()) ^ step);
      std::copy_n(block.data() + 8, 8, wrapped.data() + 8 * half);
    }
  }
  return wrapped;
}

Status UnwrapAesKey(const AesKey& wrapping_key, const WrappedKey& wrapped, AesKey& key) {
  Cipher cipher(wrapping_key, MBEDTLS_AES_DECRYPT);
  WrappedKey clear = wrapped;
  uint64_t step = 2 * kWrapRounds;
  for (size_t round = 0; round < kWrapRounds; ++round) {
    for (size_t half = 2; half >= 1; --half, --step) {
      AesBlock block;
      StoreBe64(block.data(), LoadBe64(clear.data()) ^ step);
      std::copy_n(clear.data() + 8 * half, 8, block.data() + 8);
      cipher.Apply(block);
      std::copy_n(block.begin(), 8, clear.begin());
      std::copy_n(block.data() + 8, 8, clear.data() + 8 * half);
    }
  }
  AesBlock expected = {};
  StoreBe64(expected.data(), kWrapInitialValue);
  if (!AreEqualInConstantTime(ByteSpan(clear).first(8), ByteSpan(expected).first(8))) {
    return Status::kDecryptionFailed;
  }
  std::copy_n(clear.begin() + 8, key.size(), key.begin());
  return Status::kOk;
}

}  // namespace ota::crypto
