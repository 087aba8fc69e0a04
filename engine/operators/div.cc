// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/broadcast.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct DivParams {
  Slot first;
  Slot second;
  Slot output;
  BroadcastShape shape;
  TensorType type;
  uint8_t activation;
  uint16_t unused;
};

Status PrepareDiv(PrepareContext& context) {
  OTA_TRY(const TensorInfo& first, context.ReadInput(0));
  OTA_TRY(const TensorInfo& second, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (first.type != output.type || second.type != output.type) return Status::kUnsupportedType;
  DivParams params{};
  params.type = output.type;
  params.activation = context.OptionU8(0);
  const bool is_integer = output.type == TensorType::kInt32 && params.activation == 0;
  if (!is_integer && output.type != TensorType::kFloat32) return Status::kUnsupportedType;
  OTA_TRY(VerifyActivation(params.activation));
  OTA_TRY(ComputeBroadcastShape(first, second, output, params.shape));
  params.first = context.InputSlot(0);
  params.second = context.InputSlot(1);
  params.output = context.OutputSlot(0);
  AllowElementwiseOverlap(context, params.shape);
  return context.Commit(params, 3);
}

// Truncates towards zero. What no quotient defines is 0, or the dividend where it overflows.
int32_t Divide(int32_t dividend, int32_t divisor) {
  if (divisor == 0) return 0;
  if (dividend == INT32_MIN && divisor == -1) return dividend;
  return dividend / divisor;
}

template <typename Value, typename Compute>
Status RunAs(RunContext& context, Compute compute) {
  const auto& params = context.params<DivParams>();
  return RunBroadcast(context, params.shape, context.DataAs<Value>(params.first),
                      context.DataAs<Value>(params.second), context.DataAs<Value>(params.output),
                      compute);
}

Status RunDiv(RunContext& context) {
  const auto& params = context.params<DivParams>();
  if (params.type == TensorType::kInt32) return RunAs<int32_t>(context, Divide);
  const FloatLimits limits = ComputeFloatLimits(params.activation);
  return RunAs<float>(context, [limits](float a, float b) {
    return std::clamp(a / b, limits.lowest, limits.highest);
  });
}

}  // namespace

const Operator kDiv = {static_cast<int32_t>(formats::OperatorCode::kDiv), nullptr, PrepareDiv,
                       RunDiv};

}  // namespace ota::engine
