// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/gather_copy.h"
#include "engine/operators/operators.h"

namespace ota::engine {

using formats::TensorInfo;

namespace {

Status PrepareTranspose(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& order, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.type != output.type) return Status::kUnsupportedType;
  if (!order.is_constant) return Status::kNotConstant;
  const bool fits = input.rank <= kGatherRankMax && output.rank == input.rank &&
                    order.element_count == input.rank;
  if (!fits) return Status::kUnsupportedShape;
  int32_t input_strides[kGatherRankMax];
  uint32_t stride = 1;  // wraps if there are no elements; then none is copied
  for (uint32_t i = input.rank; i-- > 0;) {
    input_strides[i] = static_cast<int32_t>(stride);
    stride *= static_cast<uint32_t>(input.dimension(i));
  }
  GatherCopyParams params{};
  params.element_bytes = static_cast<uint8_t>(formats::ElementBytes(input.type));
  for (uint32_t i = 0; i < kGatherRankMax; ++i) params.sizes[i] = 1;
  const uint32_t skip = kGatherRankMax - input.rank;
  uint32_t seen = 0;
  for (uint32_t i = 0; i < input.rank; ++i) {
    OTA_TRY(int32_t axis, context.ReadConstantI32(order, i));
    if (axis < 0) axis += input.rank;
    if (axis < 0 || axis >= input.rank || (seen >> axis & 1u) != 0) {
      return Status::kUnsupportedShape;
    }
    seen |= 1u << axis;
    const auto from = static_cast<uint32_t>(axis);
    if (output.dimension(i) != input.dimension(from)) return Status::kUnsupportedShape;
    params.sizes[skip + i] = static_cast<uint32_t>(input.dimension(from));
    params.strides[skip + i] = input_strides[from];
  }
  return CommitGatherCopy(context, params);
}

}  // namespace

const Operator kTranspose = {static_cast<int32_t>(formats::OperatorCode::kTranspose), nullptr,
                             PrepareTranspose, RunGatherCopy};

}  // namespace ota::engine
