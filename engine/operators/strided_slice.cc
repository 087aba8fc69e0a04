// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/operators/gather_copy.h"
#include "engine/operators/operators.h"

namespace ota::engine {

using formats::TensorInfo;

namespace {

struct SliceMasks {
  int32_t begin;
  int32_t end;
  int32_t shrink;

  bool has(int32_t mask, uint32_t axis) const { return (mask >> axis & 1) != 0; }
};

struct AxisSlice {
  int32_t start;
  int32_t count;
};

// As in Python: negative positions count from the end, and what lies outside is cut off.
int32_t Place(int64_t position, int32_t size, int32_t stride) {
  if (position < 0) position += size;
  const int64_t lowest = stride > 0 ? 0 : -1;
  const int64_t highest = stride > 0 ? size : size - 1;
  return static_cast<int32_t>(std::clamp(position, lowest, highest));
}

Result<AxisSlice> ComputeAxis(const SliceMasks& masks, uint32_t axis, int32_t size, int32_t begin,
                              int32_t end, int32_t stride) {
  if (stride == 0 || stride == INT32_MIN || size < 1) return Status::kUnsupportedShape;
  int32_t start = Place(begin, size, stride);
  if (masks.has(masks.begin, axis)) start = stride > 0 ? 0 : size - 1;
  if (masks.has(masks.shrink, axis)) {
    if (start < 0 || start >= size) return Status::kUnsupportedShape;
    return AxisSlice{start, 1};
  }
  int32_t stop = Place(end, size, stride);
  if (masks.has(masks.end, axis)) stop = stride > 0 ? size : -1;
  const int64_t distance = stride > 0 ? int64_t{stop} - start : int64_t{start} - stop;
  const int64_t step = stride > 0 ? stride : -int64_t{stride};
  const int64_t count = distance <= 0 ? 0 : (distance + step - 1) / step;
  return AxisSlice{start, static_cast<int32_t>(count)};
}

Status FillAxes(PrepareContext& context, const TensorInfo& input, GatherCopyParams& params) {
  const SliceMasks masks{context.OptionI32(0), context.OptionI32(1), context.OptionI32(4)};
  const bool has_other_masks =
      context.OptionI32(2) != 0 || context.OptionI32(3) != 0 || context.OptionBool(5);
  if (has_other_masks) return Status::kUnsupportedShape;
  const uint32_t skip = kGatherRankMax - input.rank;
  uint64_t stride = 1;  // wraps if there are no elements; then none is copied
  uint64_t first = 0;
  for (uint32_t i = input.rank; i-- > 0;) {
    int32_t values[3];
    for (uint32_t operand = 0; operand < 3; ++operand) {
      OTA_TRY(const TensorInfo& tensor, context.ReadInput(operand + 1));
      OTA_TRY(values[operand], context.ReadConstantI32(tensor, i));
    }
    OTA_TRY(const AxisSlice slice,
            ComputeAxis(masks, i, input.dimension(i), values[0], values[1], values[2]));
    first += static_cast<uint64_t>(slice.start) * stride;
    params.sizes[skip + i] = static_cast<uint32_t>(slice.count);
    params.strides[skip + i] =
        slice.count > 1 ? static_cast<int32_t>(stride * static_cast<uint64_t>(values[2])) : 1;
    stride *= static_cast<uint32_t>(input.dimension(i));
  }
  params.first = static_cast<uint32_t>(first);
  return Status::kOk;
}

Status PrepareStridedSlice(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.type != output.type) return Status::kUnsupportedType;
  if (input.rank > kGatherRankMax) return Status::kUnsupportedShape;
  for (uint32_t operand = 1; operand <= 3; ++operand) {
    OTA_TRY(const TensorInfo& tensor, context.ReadInput(operand));
    if (!tensor.is_constant) return Status::kNotConstant;
    if (tensor.element_count != input.rank) return Status::kUnsupportedShape;
  }
  GatherCopyParams params{};
  params.element_bytes = static_cast<uint8_t>(formats::ElementBytes(input.type));
  for (uint32_t i = 0; i < kGatherRankMax; ++i) params.sizes[i] = 1;
  OTA_TRY(FillAxes(context, input, params));
  uint64_t count = 1;
  for (uint32_t i = 0; i < kGatherRankMax; ++i) count *= params.sizes[i];
  if (count != output.element_count) return Status::kUnsupportedShape;
  return CommitGatherCopy(context, params);
}

}  // namespace

const Operator kStridedSlice = {static_cast<int32_t>(formats::OperatorCode::kStridedSlice), nullptr,
                                PrepareStridedSlice, RunGatherCopy};

}  // namespace ota::engine
