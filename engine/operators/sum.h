// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/operators/broadcast.h"

// ADD and SUB: two terms on scales of their own, brought to twice the larger one.

namespace ota::engine {

enum class SumKind : uint8_t { kAdd, kSubtract };

Status PrepareSum(PrepareContext& context, SumKind kind);
Status RunSum(RunContext& context, SumKind kind);
Status RunSumInt8(RunContext& context, SumKind kind);

/// ADD in int8 of inputs that are as large as the output.
Status PrepareEqualAddInt8(PrepareContext& context);
Status RunEqualAddInt8(RunContext& context);

}  // namespace ota::engine
