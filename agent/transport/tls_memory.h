// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

// Where Mbed TLS gets its memory and how long it may compute without a pause. Both depend on how
// the library was built, so two files define these functions: tls_memory_pool.cc for the boards'
// build, tls_memory_heap.cc for the distribution's library on a host.

namespace ota::agent {

/// Gives Mbed TLS all the memory it will ever use; `pool` must live for ever. Call once, before
/// anything else of it. 24 KiB do for a handshake with fragments of 2048 bytes.
/// kInvalidArgument: the pool is empty. kNotSupported: this build allocates from the heap.
Status ProvideTlsMemory(MutableByteSpan pool);

/// Bounds the elliptic curve operations (as mbedtls_ecp_set_max_ops counts them; a multiplication
/// on P-256 is about 3500) that one Handshake() step does. 0: no bound.
/// kNotSupported: this build cannot split them.
Status SetCurveBudget(uint32_t operation_count_max);

}  // namespace ota::agent
