// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/reduction.h"

namespace ota::engine {

using formats::TensorInfo;

Status ComputeReductionShape(PrepareContext& context, ReductionShape& shape) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& axes, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (!axes.is_constant) return Status::kNotConstant;
  if (input.element_count == 0) return Status::kUnsupportedShape;
  uint32_t folded = 0;
  for (uint32_t i = 0; i < axes.element_count; ++i) {
    OTA_TRY(int32_t axis, context.ReadConstantI32(axes, i));
    if (axis < 0) axis += input.rank;
    if (axis < 0 || axis >= input.rank) return Status::kUnsupportedShape;
    folded |= 1u << axis;
  }
  shape.fold_count = 1;
  shape.output_count = 1;
  uint32_t rank = 0;
  bool was_folded = false;
  for (uint32_t i = 0; i < input.rank; ++i) {
    const auto size = static_cast<uint32_t>(input.dimension(i));
    const bool is_folded = (folded >> i & 1u) != 0;
    uint32_t& count = is_folded ? shape.fold_count : shape.output_count;
    count *= size;
    if (rank > 0 && was_folded == is_folded) {
      shape.sizes[rank - 1] *= size;
      continue;
    }
    was_folded = is_folded;
    shape.sizes[rank] = size;
    if (is_folded) shape.folded = static_cast<uint8_t>(shape.folded | 1u << rank);
    ++rank;
  }
  shape.rank = static_cast<uint8_t>(rank);
  return shape.output_count == output.element_count ? Status::kOk : Status::kUnsupportedShape;
}

}  // namespace ota::engine
