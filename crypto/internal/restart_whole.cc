// SPDX-License-Identifier: Apache-2.0
#include "crypto/internal/restart.h"

namespace ota::crypto::internal {

void SetStepBudget(uint32_t) {}
void* OpenEcdsaRestart(MutableByteSpan) { return nullptr; }
void CloseEcdsaRestart(MutableByteSpan) {}
void* OpenMultiplyRestart(MutableByteSpan) { return nullptr; }
void CloseMultiplyRestart(MutableByteSpan) {}
void* RestartIn(MutableByteSpan) { return nullptr; }
bool IsOutOfBudget(int) { return false; }

}  // namespace ota::crypto::internal
