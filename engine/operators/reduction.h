// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/prepare_context.h"

namespace ota::engine {

/// The shape of a reduction: dimensions that stay and dimensions that are folded, neighbours of one
/// kind joined, from the front.
struct ReductionShape {
  uint32_t sizes[formats::kRankMax];
  uint8_t rank;
  uint8_t folded;  ///< bit i: dimension i is folded
  uint16_t unused;
  uint32_t output_count;
  uint32_t fold_count;  ///< inputs per output
};

/// From operands 0 (the input) and 1 (the constant axes).
/// kUnsupportedShape: an axis that does not exist, or an output of another size.
Status ComputeReductionShape(PrepareContext& context, ReductionShape& shape);

/// Calls use(index) for the index of every input that is folded into output `output`, in ascending
/// order.
template <typename Use>
void ForEachFolded(const ReductionShape& shape, uint32_t output, Use use) {
  uint32_t strides[formats::kRankMax];
  uint32_t positions[formats::kRankMax] = {};
  uint32_t index = 0;
  uint32_t stride = 1;
  for (uint32_t i = shape.rank; i-- > 0;) {
    strides[i] = stride;
    stride *= shape.sizes[i];
    if ((shape.folded >> i & 1u) != 0) continue;
    index += output % shape.sizes[i] * strides[i];
    output /= shape.sizes[i];
  }
  for (uint32_t n = 0; n < shape.fold_count; ++n) {
    use(index);
    for (uint32_t i = shape.rank; i-- > 0;) {
      if ((shape.folded >> i & 1u) == 0) continue;
      index += strides[i];
      if (++positions[i] < shape.sizes[i]) break;
      positions[i] = 0;
      index -= strides[i] * shape.sizes[i];
    }
  }
}

}  // namespace ota::engine
