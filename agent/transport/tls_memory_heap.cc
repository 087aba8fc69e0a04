// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/tls_memory.h"

namespace ota::agent {

Status ProvideTlsMemory(MutableByteSpan pool) {
  return pool.empty() ? Status::kInvalidArgument : Status::kNotSupported;
}

Status SetCurveBudget(uint32_t /*operation_count_max*/) { return Status::kNotSupported; }

}  // namespace ota::agent
