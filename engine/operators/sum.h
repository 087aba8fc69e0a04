// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/operators/broadcast.h"

// ADD and SUB: two terms on scales of their own, brought to twice the larger one.

namespace ota::engine {

enum class SumKind : uint8_t { kAdd, kSubtract };

/// `fill_shape` is ComputeBroadcastShape or RequireEqualShapes.
Status PrepareSum(PrepareContext& context, SumKind kind, FillShape fill_shape);
Status RunSum(RunContext& context, SumKind kind);
Status RunSumInt8(RunContext& context, SumKind kind);
/// The same if shapes are equal.
Status RunEqualSumInt8(RunContext& context, SumKind kind);

}  // namespace ota::engine
