// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

// Where Mbed TLS can stop in the middle of an elliptic curve operation and where it cannot: one
// file for each, chosen by the build. Contexts live in the caller's storage.

namespace ota::crypto::internal {

/// How many field multiplications the next call may take; 0: all it needs.
void SetStepBudget(uint32_t operations_max);

/// Makes a restart context in `storage` and returns it; null where the library has none.
void* OpenEcdsaRestart(MutableByteSpan storage);
void CloseEcdsaRestart(MutableByteSpan storage);
void* OpenMultiplyRestart(MutableByteSpan storage);
void CloseMultiplyRestart(MutableByteSpan storage);

/// The context that was opened in `storage`, or null as above.
void* RestartIn(MutableByteSpan storage);

/// Whether `error` of the library says that its budget ran out.
bool IsOutOfBudget(int error);

}  // namespace ota::crypto::internal
