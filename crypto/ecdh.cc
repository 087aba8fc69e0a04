// SPDX-License-Identifier: Apache-2.0
#include "crypto/ecdh.h"

#include <mbedtls/ecp.h>

#include <algorithm>
#include <new>

#include "crypto/internal/restart.h"

namespace ota::crypto {
namespace {

struct Context {
  mbedtls_ecp_group group;
  mbedtls_mpi own;
  mbedtls_ecp_point theirs;
  mbedtls_ecp_point shared;
};

Context* ContextIn(MutableByteSpan storage) {
  return std::launder(reinterpret_cast<Context*>(storage.data()));
}

int FillForLibrary(void* entropy, unsigned char* target, size_t bytes) {
  const Status filled = static_cast<Entropy*>(entropy)->Fill(MutableByteSpan(target, bytes));
  return filled == Status::kOk ? 0 : MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

Status StatusOf(int error, Status otherwise) {
  if (error == 0) return Status::kOk;
  if (error == MBEDTLS_ERR_MPI_ALLOC_FAILED || error == MBEDTLS_ERR_ECP_ALLOC_FAILED) {
    return Status::kCryptoMemoryFull;
  }
  return error == MBEDTLS_ERR_ECP_RANDOM_FAILED ? Status::kEntropyUnavailable : otherwise;
}

}  // namespace

EcdhAgreement::~EcdhAgreement() { Abandon(); }

Status EcdhAgreement::Begin(const P256PrivateKey& own, const P256PublicKey& theirs) {
  static_assert(sizeof(Context) <= sizeof(context_));
  Abandon();
  Context* const context = new (context_.data()) Context;
  mbedtls_ecp_group_init(&context->group);
  mbedtls_mpi_init(&context->own);
  mbedtls_ecp_point_init(&context->theirs);
  mbedtls_ecp_point_init(&context->shared);
  internal::OpenMultiplyRestart(restart_);
  is_in_progress_ = true;
  const Status loaded = LoadKeys(own, theirs);
  if (loaded != Status::kOk) Abandon();
  return loaded;
}

Status EcdhAgreement::LoadKeys(const P256PrivateKey& own, const P256PublicKey& theirs) {
  Context* const context = ContextIn(context_);
  std::array<uint8_t, 1 + sizeof(P256PublicKey)> point = {0x04};
  std::copy(theirs.begin(), theirs.end(), point.begin() + 1);
  int error = mbedtls_ecp_group_load(&context->group, MBEDTLS_ECP_DP_SECP256R1);
  if (error == 0) error = mbedtls_mpi_read_binary(&context->own, own.data(), own.size());
  if (error == 0) error = mbedtls_ecp_check_privkey(&context->group, &context->own);
  if (error == 0) {
    error = mbedtls_ecp_point_read_binary(&context->group, &context->theirs, point.data(),
                                          point.size());
  }
  if (error == 0) error = mbedtls_ecp_check_pubkey(&context->group, &context->theirs);
  return StatusOf(error, Status::kKeyInvalid);
}

Status EcdhAgreement::Step(uint32_t operations_max, EcdhSecret& secret) {
  if (!is_in_progress_) return Status::kWrongState;
  Context* const context = ContextIn(context_);
  internal::SetStepBudget(operations_max);
  int error = mbedtls_ecp_mul_restartable(
      &context->group, &context->shared, &context->own, &context->theirs, FillForLibrary, &entropy_,
      static_cast<mbedtls_ecp_restart_ctx*>(internal::RestartIn(restart_)));
  if (internal::IsOutOfBudget(error)) return Status::kBusy;
  if (error == 0) error = mbedtls_mpi_write_binary(&context->shared.X, secret.data(), 32);
  Abandon();
  return StatusOf(error, Status::kKeyInvalid);
}

void EcdhAgreement::Abandon() {
  if (!is_in_progress_) return;
  Context* const context = ContextIn(context_);
  internal::CloseMultiplyRestart(restart_);
  mbedtls_ecp_point_free(&context->shared);
  mbedtls_ecp_point_free(&context->theirs);
  mbedtls_mpi_free(&context->own);
  mbedtls_ecp_group_free(&context->group);
  is_in_progress_ = false;
}

}  // namespace ota::crypto
