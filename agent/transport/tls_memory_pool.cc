// SPDX-License-Identifier: Apache-2.0
#include <mbedtls/ecp.h>
#include <mbedtls/memory_buffer_alloc.h>

#include "agent/transport/tls_memory.h"

namespace ota::agent {

Status ProvideTlsMemory(MutableByteSpan pool) {
  if (pool.empty()) return Status::kInvalidArgument;
  mbedtls_memory_buffer_alloc_init(pool.data(), pool.size());
  return Status::kOk;
}

Status SetCurveBudget(uint32_t operation_count_max) {
  mbedtls_ecp_set_max_ops(operation_count_max);
  return Status::kOk;
}

}  // namespace ota::agent
