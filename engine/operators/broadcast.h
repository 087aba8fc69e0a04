// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "engine/chain_builder.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

// Operators of two inputs, element by element, either of which may be repeated along dimensions.

namespace ota::engine {

constexpr uint32_t kBroadcastRankMax = 4;
constexpr uint32_t kElementsPerUnit = 4096;

/// The output's dimensions, neighbours that behave alike joined, the last one fastest. Bit i of
/// `repeats` of an input: it has size 1 where the output has dimensions[i].
struct BroadcastShape {
  uint32_t dimensions[kBroadcastRankMax];
  uint8_t rank;
  uint8_t repeats[2];
  uint8_t unused;
};

/// kUnsupportedShape: the inputs do not broadcast to the output, or change sides too often.
Status ComputeBroadcastShape(const formats::TensorInfo& first, const formats::TensorInfo& second,
                             const formats::TensorInfo& output, BroadcastShape& shape);

/// Lets the output lie in place of an input that is not repeated.
void AllowElementwiseOverlap(PrepareContext& context, const BroadcastShape& shape);

/// For patch_rules.h: says AllowRows of two inputs that are not constant and not repeated.
void AllowElementwiseRows(ChainBuilder& chains, PrepareContext& context,
                          const BroadcastShape& shape);
/// Makes `shape` that of the rows alone.
void SelectElementwiseRows(BroadcastShape& shape, const PatchRows& rows);

/// Where an input's element for the output's element `index` lies.
uint32_t FindBroadcastIndex(const BroadcastShape& shape, uint32_t input, uint32_t index);

/// Calls `compute` with rows of elements, in units of kElementsPerUnit: first, its step, second,
/// its step (0: the element is repeated), output, count.
template <typename Input, typename Output, typename Compute>
Status RunBroadcastRows(RunContext& context, const BroadcastShape& shape, const Input* first,
                        const Input* second, Output* output, Compute compute) {
  uint32_t total = 1;
  for (uint32_t i = 0; i < shape.rank; ++i) total *= shape.dimensions[i];
  const uint32_t inner = shape.dimensions[shape.rank - 1u];
  const uint32_t inner_bit = uint32_t{1} << (shape.rank - 1u);
  const uint32_t first_step = (shape.repeats[0] & inner_bit) != 0 ? 0 : 1;
  const uint32_t second_step = (shape.repeats[1] & inner_bit) != 0 ? 0 : 1;
  while (context.unit() * kElementsPerUnit < total) {
    uint32_t at = context.unit() * kElementsPerUnit;
    const uint32_t end = std::min(at + kElementsPerUnit, total);
    while (at < end) {
      const uint32_t count = std::min(end - at, inner - at % inner);
      compute(first + FindBroadcastIndex(shape, 0, at), first_step,
              second + FindBroadcastIndex(shape, 1, at), second_step, output + at, count);
      at += count;
    }
    if (context.FinishUnit(kElementsPerUnit)) return Status::kBusy;
  }
  return Status::kOk;
}

/// output[i] = compute(first[...], second[...]) for all i, in units of kElementsPerUnit.
template <typename Input, typename Output, typename Compute>
Status RunBroadcast(RunContext& context, const BroadcastShape& shape, const Input* first,
                    const Input* second, Output* output, Compute compute) {
  return RunBroadcastRows(context, shape, first, second, output,
                          [&compute](const Input* a, uint32_t a_step, const Input* b,
                                     uint32_t b_step, Output* results, uint32_t count) {
                            for (uint32_t i = 0; i < count; ++i) {
                              results[i] = compute(a[i * a_step], b[i * b_step]);
                            }
                          });
}

}  // namespace ota::engine
