// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.h"

#include <mbedtls/sha256.h>

#include <new>
#include <type_traits>

namespace ota::crypto {
namespace {

static_assert(std::is_trivially_copyable_v<mbedtls_sha256_context>);
static_assert(sizeof(mbedtls_sha256_context) <= 112);
static_assert(alignof(mbedtls_sha256_context) <= 8);

mbedtls_sha256_context* ContextIn(std::array<uint8_t, 112>& bytes) {
  return std::launder(reinterpret_cast<mbedtls_sha256_context*>(bytes.data()));
}

}  // namespace

Sha256::Sha256() {
  mbedtls_sha256_context* const context = new (context_.data()) mbedtls_sha256_context;
  mbedtls_sha256_init(context);
  (void)mbedtls_sha256_starts_ret(context, 0);  // fails only for another number than 0 or 1
}

void Sha256::Update(ByteSpan bytes) {
  // Software SHA-256 over valid memory has no way to fail.
  (void)mbedtls_sha256_update_ret(ContextIn(context_), bytes.data(), bytes.size());
}

void Sha256::FinishInto(std::span<uint8_t, kSha256Bytes> digest) {
  (void)mbedtls_sha256_finish_ret(ContextIn(context_), digest.data());  // as Update
  (void)mbedtls_sha256_starts_ret(ContextIn(context_), 0);              // as the constructor
}

Sha256Digest ComputeSha256(ByteSpan bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

}  // namespace ota::crypto
