// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "engine/operators/broadcast.h"

// Operators of one input, element by element, whose parameters begin with UnaryParams. Of int8 they
// are functions of one byte, so a table of 256 results serves tensors that are larger than it.

namespace ota::engine {

struct UnaryParams {
  Slot input;
  Slot output;
  Slot table;  ///< of 256 results; none for small tensors and other types
  uint32_t count;
};
constexpr uint32_t kUnarySlotCount = 3;
constexpr uint32_t kTableBytes = 256;

/// Fills the slots. kUnsupportedType, kUnsupportedShape: input and output differ.
Status FillUnary(PrepareContext& context, UnaryParams& params);

/// output[i] = compute(input[i]).
template <typename Value, typename Compute>
Status RunElements(RunContext& context, const UnaryParams& params, Compute compute) {
  const auto* const input = context.DataAs<Value>(params.input);
  auto* const output = context.DataAs<Value>(params.output);
  while (context.unit() * kElementsPerUnit < params.count) {
    const uint32_t first = context.unit() * kElementsPerUnit;
    const uint32_t end = std::min(first + kElementsPerUnit, params.count);
    for (uint32_t i = first; i < end; ++i) output[i] = compute(input[i]);
    if (context.FinishUnit(kElementsPerUnit)) return Status::kBusy;
  }
  return Status::kOk;
}

/// The same of int8, through the table if there is one; `compute` takes and returns int8_t.
template <typename Compute>
Status RunBytes(RunContext& context, const UnaryParams& params, Compute compute) {
  auto* const table = context.DataAs<int8_t>(params.table);
  if (table == nullptr) return RunElements<int8_t>(context, params, compute);
  if (context.unit() == 0) {
    for (int32_t i = 0; i < 256; ++i) table[i] = compute(static_cast<int8_t>(i));
  }
  return RunElements<int8_t>(context, params,
                             [table](int8_t value) { return table[static_cast<uint8_t>(value)]; });
}

}  // namespace ota::engine
