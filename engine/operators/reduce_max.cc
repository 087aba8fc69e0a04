// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "engine/operators/operators.h"
#include "engine/operators/reduction.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct ReduceMaxParams {
  Slot input;
  Slot output;
  ReductionShape shape;
  TensorType type;
  uint8_t unused[3];
};

Status PrepareReduceMax(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  const bool is_known = input.type == TensorType::kInt8 || input.type == TensorType::kInt16 ||
                        input.type == TensorType::kInt32 || input.type == TensorType::kFloat32;
  if (!is_known || input.type != output.type) return Status::kUnsupportedType;
  if (input.scale != output.scale || input.zero_point != output.zero_point) {
    return Status::kUnsupportedQuantization;
  }
  ReduceMaxParams params{};
  params.type = input.type;
  OTA_TRY(ComputeReductionShape(context, params.shape));
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  return context.Commit(params, 2);
}

template <typename Value>
Status RunAs(RunContext& context) {
  const auto& params = context.params<ReduceMaxParams>();
  const auto* const input = context.DataAs<Value>(params.input);
  auto* const output = context.DataAs<Value>(params.output);
  while (context.unit() < params.shape.output_count) {
    Value highest = std::numeric_limits<Value>::lowest();
    ForEachFolded(params.shape, context.unit(),
                  [&](uint32_t index) { highest = std::max(highest, input[index]); });
    output[context.unit()] = highest;
    if (context.FinishUnit(params.shape.fold_count)) return Status::kBusy;
  }
  return Status::kOk;
}

Status RunReduceMax(RunContext& context) {
  switch (context.params<ReduceMaxParams>().type) {
    case TensorType::kInt8:
      return RunAs<int8_t>(context);
    case TensorType::kInt16:
      return RunAs<int16_t>(context);
    case TensorType::kInt32:
      return RunAs<int32_t>(context);
    default:
      return RunAs<float>(context);
  }
}

}  // namespace

const Operator kReduceMax = {static_cast<int32_t>(formats::OperatorCode::kReduceMax), nullptr,
                             PrepareReduceMax, RunReduceMax};

}  // namespace ota::engine
