// SPDX-License-Identifier: Apache-2.0
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>

#include <new>

#include "crypto/internal/restart.h"

namespace ota::crypto::internal {
namespace {

template <typename Context>
Context* ContextIn(MutableByteSpan storage) {
  return std::launder(reinterpret_cast<Context*>(storage.data()));
}

template <typename Context>
Context* NewIn(MutableByteSpan storage) {
  static_assert(sizeof(Context) <= 16 * sizeof(void*));
  return new (storage.data()) Context;
}

}  // namespace

void SetStepBudget(uint32_t operations_max) { mbedtls_ecp_set_max_ops(operations_max); }

void* OpenEcdsaRestart(MutableByteSpan storage) {
  auto* const context = NewIn<mbedtls_ecdsa_restart_ctx>(storage);
  mbedtls_ecdsa_restart_init(context);
  return context;
}

void CloseEcdsaRestart(MutableByteSpan storage) {
  mbedtls_ecdsa_restart_free(ContextIn<mbedtls_ecdsa_restart_ctx>(storage));
}

void* OpenMultiplyRestart(MutableByteSpan storage) {
  auto* const context = NewIn<mbedtls_ecp_restart_ctx>(storage);
  mbedtls_ecp_restart_init(context);
  return context;
}

void CloseMultiplyRestart(MutableByteSpan storage) {
  mbedtls_ecp_restart_free(ContextIn<mbedtls_ecp_restart_ctx>(storage));
}

void* RestartIn(MutableByteSpan storage) { return storage.data(); }

bool IsOutOfBudget(int error) { return error == MBEDTLS_ERR_ECP_IN_PROGRESS; }

}  // namespace ota::crypto::internal
