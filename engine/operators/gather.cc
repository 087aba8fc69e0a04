// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "engine/operators/operators.h"
#include "engine/operators/parts.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kAxisOption = 0;
constexpr uint32_t kBatchDimensionsOption = 1;

struct GatherParams {
  Slot input;
  Slot positions;
  Slot output;
  uint32_t batch_count;     ///< with positions of their own
  uint32_t outer_count;     ///< of a batch
  uint32_t axis_size;       ///< positions are below it
  uint32_t position_count;  ///< of a batch
  uint32_t slice_bytes;
};

Status VerifyTypes(const TensorInfo& input, const TensorInfo& positions, const TensorInfo& output) {
  const bool is_usable = formats::ElementBytes(input.type) != 0 && output.type == input.type &&
                         positions.type == TensorType::kInt32;
  return is_usable ? Status::kOk : Status::kUnsupportedType;
}

Result<uint32_t> CountBatchDimensions(PrepareContext& context, const TensorInfo& input,
                                      const TensorInfo& positions) {
  int32_t count = context.OptionI32(kBatchDimensionsOption);
  if (count < 0) count += positions.rank;
  if (count < 0 || count > positions.rank || count >= input.rank) return Status::kUnsupportedShape;
  const auto batch_dimensions = static_cast<uint32_t>(count);
  for (uint32_t i = 0; i < batch_dimensions; ++i) {
    if (input.dimension(i) != positions.dimension(i)) return Status::kUnsupportedShape;
  }
  return batch_dimensions;
}

Status SetShape(PrepareContext& context, const TensorInfo& input, const TensorInfo& positions,
                const TensorInfo& output, GatherParams& params) {
  const int32_t axis = context.OptionI32(kAxisOption);
  OTA_TRY(const uint32_t batch_dimensions, CountBatchDimensions(context, input, positions));
  OTA_TRY(const uint32_t before_axis, CountBefore(input, axis, input.rank));
  OTA_TRY(params.batch_count,
          CountBefore(input, static_cast<int32_t>(batch_dimensions), input.rank));
  const auto axis_index = static_cast<uint32_t>(axis < 0 ? axis + input.rank : axis);
  params.axis_size = static_cast<uint32_t>(input.dimension(axis_index));
  const bool is_empty = input.element_count == 0 || positions.element_count == 0;
  if (axis_index < batch_dimensions || is_empty) return Status::kUnsupportedShape;
  params.outer_count = before_axis / params.batch_count;
  params.position_count = positions.element_count / params.batch_count;
  params.slice_bytes = input.size_bytes / (before_axis * params.axis_size);
  const uint64_t slices = uint64_t{params.batch_count} * params.outer_count * params.position_count;
  return slices * params.slice_bytes == output.size_bytes ? Status::kOk : Status::kUnsupportedShape;
}

Status PrepareGather(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& positions, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifyTypes(input, positions, output));
  GatherParams params{};
  OTA_TRY(SetShape(context, input, positions, output, params));
  params.input = context.InputSlot(0);
  params.positions = context.InputSlot(1);
  params.output = context.OutputSlot(0);
  return context.Commit(params, 3);
}

// A unit is what one run of positions gathers.
Status RunGather(RunContext& context) {
  const auto& params = context.params<GatherParams>();
  const uint32_t run_bytes = params.position_count * params.slice_bytes;
  while (context.unit() < params.batch_count * params.outer_count) {
    const uint32_t run = context.unit();
    const auto* const positions = context.DataAs<int32_t>(params.positions) +
                                  run / params.outer_count * params.position_count;
    const uint8_t* const input =
        context.Data(params.input) + run * params.axis_size * params.slice_bytes;
    uint8_t* output = context.Data(params.output) + run * run_bytes;
    for (uint32_t i = 0; i < params.position_count; ++i, output += params.slice_bytes) {
      const auto position = static_cast<uint32_t>(positions[i]);
      if (position >= params.axis_size) return Status::kOutOfRange;
      std::memcpy(output, input + position * params.slice_bytes, params.slice_bytes);
    }
    if (context.FinishUnit(run_bytes)) return Status::kBusy;
  }
  return Status::kOk;
}

}  // namespace

const Operator kGather = {static_cast<int32_t>(formats::OperatorCode::kGather), nullptr,
                          PrepareGather, RunGather};

}  // namespace ota::engine
