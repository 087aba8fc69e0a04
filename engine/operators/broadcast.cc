// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/broadcast.h"

namespace ota::engine {

using formats::kRankMax;
using formats::TensorInfo;

namespace {

// Size of the dimension `from_end` places before the last one; 1 in front of the first.
uint32_t DimensionFromEnd(const TensorInfo& tensor, uint32_t from_end) {
  if (from_end >= tensor.rank) return 1;
  return static_cast<uint32_t>(tensor.dimension(tensor.rank - 1u - from_end));
}

struct JoinedDimension {
  uint32_t size = 1;
  uint32_t pattern = 0;
};

}  // namespace

Status ComputeBroadcastShape(const TensorInfo& first, const TensorInfo& second,
                             const TensorInfo& output, BroadcastShape& shape) {
  if (output.element_count == 0) return Status::kUnsupportedShape;
  JoinedDimension joined[kRankMax];  // from the last dimension to the first
  uint32_t count = 0;
  const uint32_t rank = std::max({first.rank, second.rank, output.rank});
  for (uint32_t i = 0; i < rank; ++i) {
    const uint32_t size = DimensionFromEnd(output, i);
    const uint32_t sizes[2] = {DimensionFromEnd(first, i), DimensionFromEnd(second, i)};
    uint32_t pattern = 0;
    for (uint32_t input = 0; input < 2; ++input) {
      if (sizes[input] == size) continue;
      if (sizes[input] != 1) return Status::kUnsupportedShape;
      pattern |= 1u << input;
    }
    if (size == 1) continue;
    if (count > 0 && joined[count - 1].pattern == pattern) {
      joined[count - 1].size *= size;
    } else {
      joined[count++] = {size, pattern};
    }
  }
  if (count > kBroadcastRankMax) return Status::kUnsupportedShape;
  if (count == 0) joined[count++] = {1, 0};
  shape.rank = static_cast<uint8_t>(count);
  for (uint32_t i = 0; i < count; ++i) {
    const JoinedDimension& from = joined[count - 1 - i];
    shape.dimensions[i] = from.size;
    for (uint32_t input = 0; input < 2; ++input) {
      const uint32_t repeats = (from.pattern >> input & 1u) << i;
      shape.repeats[input] = static_cast<uint8_t>(shape.repeats[input] | repeats);
    }
  }
  return Status::kOk;
}

void AllowElementwiseOverlap(PrepareContext& context, const BroadcastShape& shape) {
  for (uint32_t input = 0; input < 2; ++input) {
    if (shape.repeats[input] == 0) context.AllowOverlap(input, 0, 0);
  }
}

void AllowElementwiseRows(ChainBuilder& chains, PrepareContext& context,
                          const BroadcastShape& shape) {
  if (shape.rank != 1 || shape.repeats[0] != 0 || shape.repeats[1] != 0) return;
  for (uint32_t input = 0; input < 2; ++input) {
    const Result<TensorInfo> tensor = context.ReadInput(input);
    if (!tensor.ok() || tensor->is_constant) return;
  }
  chains.AllowRows(context, 0, 0, {1, 1, 0});
  chains.AllowRows(context, 1, 0, {1, 1, 0});
}

void SelectElementwiseRows(BroadcastShape& shape, const PatchRows& rows) {
  shape.dimensions[0] = shape.dimensions[0] / rows.output.count * rows.output.size();
}

uint32_t FindBroadcastIndex(const BroadcastShape& shape, uint32_t input, uint32_t index) {
  const uint32_t repeats = shape.repeats[input];
  if (repeats == 0) return index;
  uint32_t result = 0;
  uint32_t stride = 1;
  for (uint32_t i = shape.rank; i-- > 0;) {
    const uint32_t size = shape.dimensions[i];
    const uint32_t position = index % size;
    index /= size;
    if ((repeats >> i & 1u) != 0) continue;
    result += position * stride;
    stride *= size;
  }
  return result;
}

}  // namespace ota::engine
