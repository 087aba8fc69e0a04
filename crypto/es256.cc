// SPDX-License-Identifier: Apache-2.0
#include "crypto/es256.h"

#include <mbedtls/ecdsa.h>

#include <algorithm>
#include <new>

#include "crypto/internal/restart.h"

namespace ota::crypto {
namespace {

using Scalar = std::array<uint8_t, kP256CoordinateBytes>;

// The order n of P-256, and the largest s of the lower half, (n - 1) / 2 (FIPS 186-4, D.1.2.3).
constexpr Scalar kOrder = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                           0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                           0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
constexpr Scalar kHalfOrder = {0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF,
                               0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xDE, 0x73, 0x7D, 0x56, 0xD3, 0x8B,
                               0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8};

// Signatures are public, so an early exit gives nothing away.
bool IsBelow(ByteSpan value, ByteSpan limit) {
  return std::lexicographical_compare(value.begin(), value.end(), limit.begin(), limit.end());
}

bool IsInRange(ByteSpan scalar) {
  const bool is_zero = std::all_of(scalar.begin(), scalar.end(), [](uint8_t b) { return b == 0; });
  return !is_zero && IsBelow(scalar, kOrder);
}

// DER INTEGER: no needless leading zeros, one where the top bit is set. Room is 35 bytes.
size_t EncodeDerInteger(ByteSpan scalar, uint8_t* at) {
  while (scalar.size() > 1 && scalar[0] == 0) scalar = scalar.subspan(1);
  const size_t pad = scalar[0] >> 7;
  at[0] = 0x02;
  at[1] = static_cast<uint8_t>(scalar.size() + pad);
  at[2] = 0;
  std::copy(scalar.begin(), scalar.end(), at + 2 + pad);
  return 2 + pad + scalar.size();
}

mbedtls_ecdsa_context* ContextIn(MutableByteSpan storage) {
  return std::launder(reinterpret_cast<mbedtls_ecdsa_context*>(storage.data()));
}

}  // namespace

Es256Verification::~Es256Verification() { Abandon(); }

Status Es256Verification::Begin(P256PublicKeySpan key, const Sha256Digest& digest,
                                ByteSpan signature, SignatureForm form) {
  static_assert(sizeof(mbedtls_ecdsa_context) <= sizeof(context_));
  Abandon();
  if (signature.size() != sizeof(Es256Signature)) return Status::kSignatureInvalid;
  const ByteSpan r = signature.first(kP256CoordinateBytes);
  const ByteSpan s = signature.last(kP256CoordinateBytes);
  if (!IsInRange(r) || !IsInRange(s)) return Status::kSignatureInvalid;
  if (form == SignatureForm::kLowerSOnly && IsBelow(kHalfOrder, s)) {
    return Status::kSignatureMalleated;
  }
  mbedtls_ecdsa_init(new (context_.data()) mbedtls_ecdsa_context);
  internal::OpenEcdsaRestart(restart_);
  is_in_progress_ = true;
  const Status loaded = LoadKey(key);
  if (loaded != Status::kOk) {
    Abandon();
    return loaded;
  }
  const size_t r_bytes = EncodeDerInteger(r, &der_[2]);
  const size_t s_bytes = EncodeDerInteger(s, &der_[2 + r_bytes]);
  der_[0] = 0x30;
  der_[1] = static_cast<uint8_t>(r_bytes + s_bytes);
  der_bytes_ = static_cast<uint8_t>(2 + r_bytes + s_bytes);
  digest_ = digest;
  return Status::kOk;
}

Status Es256Verification::LoadKey(P256PublicKeySpan key) {
  mbedtls_ecdsa_context* const context = ContextIn(context_);
  int error = mbedtls_ecp_group_load(&context->grp, MBEDTLS_ECP_DP_SECP256R1);
  std::array<uint8_t, 1 + sizeof(P256PublicKey)> point = {0x04};
  std::copy(key.begin(), key.end(), point.begin() + 1);
  if (error == 0) {
    error = mbedtls_ecp_point_read_binary(&context->grp, &context->Q, point.data(), point.size());
  }
  if (error == 0) error = mbedtls_ecp_check_pubkey(&context->grp, &context->Q);
  if (error == MBEDTLS_ERR_MPI_ALLOC_FAILED) return Status::kCryptoMemoryFull;
  return error == 0 ? Status::kOk : Status::kKeyInvalid;
}

Status Es256Verification::Step(uint32_t operations_max) {
  if (!is_in_progress_) return Status::kWrongState;
  internal::SetStepBudget(operations_max);
  const int error = mbedtls_ecdsa_read_signature_restartable(
      ContextIn(context_), digest_.data(), digest_.size(), der_.data(), der_bytes_,
      static_cast<mbedtls_ecdsa_restart_ctx*>(internal::RestartIn(restart_)));
  if (internal::IsOutOfBudget(error)) return Status::kBusy;
  Abandon();
  if (error == 0) return Status::kOk;
  const bool is_memory_full =
      error == MBEDTLS_ERR_MPI_ALLOC_FAILED || error == MBEDTLS_ERR_ECP_ALLOC_FAILED;
  return is_memory_full ? Status::kCryptoMemoryFull : Status::kSignatureInvalid;
}

void Es256Verification::Abandon() {
  if (!is_in_progress_) return;
  internal::CloseEcdsaRestart(restart_);
  mbedtls_ecdsa_free(ContextIn(context_));
  is_in_progress_ = false;
}

Status VerifyEs256(const P256PublicKey& key, const Sha256Digest& digest, ByteSpan signature,
                   SignatureForm form) {
  Es256Verification verification;
  OTA_TRY(verification.Begin(key, digest, signature, form));
  return verification.Step(0);
}

}  // namespace ota::crypto
