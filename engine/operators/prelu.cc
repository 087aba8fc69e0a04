// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/requantize.h"
#include "engine/operators/broadcast.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct PreluParams {
  Slot input;
  Slot alpha;
  Slot output;
  BroadcastShape shape;
  Multiplier identity;
  Multiplier slope;
  int16_t input_zero_point;
  int16_t alpha_zero_point;
  int16_t output_zero_point;
  TensorType type;
  uint8_t unused;
};

Status PreparePrelu(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& alpha, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.type != output.type || alpha.type != output.type) return Status::kUnsupportedType;
  PreluParams params{};
  params.type = input.type;
  if (input.type == TensorType::kInt8) {
    OTA_TRY(VerifyQuantized(input));
    OTA_TRY(VerifyQuantized(alpha));
    OTA_TRY(VerifyQuantized(output));
    params.identity = QuantizeMultiplier(
        ExactReal::FromFloat(input.scale).DividedBy(ExactReal::FromFloat(output.scale)));
    params.slope = ComputeChannelMultiplier(input.scale, alpha.scale, output.scale);
    params.input_zero_point = static_cast<int16_t>(input.zero_point);
    params.alpha_zero_point = static_cast<int16_t>(alpha.zero_point);
    params.output_zero_point = static_cast<int16_t>(output.zero_point);
  } else if (input.type != TensorType::kFloat32) {
    return Status::kUnsupportedType;
  }
  OTA_TRY(ComputeBroadcastShape(input, alpha, output, params.shape));
  params.input = context.InputSlot(0);
  params.alpha = context.InputSlot(1);
  params.output = context.OutputSlot(0);
  AllowElementwiseOverlap(context, params.shape);
  return context.Commit(params, 3);
}

int8_t Compute(int8_t value, int8_t alpha, const PreluParams& params, RoundingMode rounding) {
  const int32_t centred = value - params.input_zero_point;
  const int32_t scaled = centred >= 0 ? Requantize(centred, params.identity, rounding)
                                      : Requantize(centred * (alpha - params.alpha_zero_point),
                                                   params.slope, rounding);
  return static_cast<int8_t>(std::clamp(WrappingAdd(scaled, params.output_zero_point), -128, 127));
}

Status RunPrelu(RunContext& context) {
  const auto& params = context.params<PreluParams>();
  const RoundingMode rounding = context.rounding();
  if (params.type == TensorType::kInt8) {
    return RunBroadcast(
        context, params.shape, context.DataAs<int8_t>(params.input),
        context.DataAs<int8_t>(params.alpha), context.DataAs<int8_t>(params.output),
        [&](int8_t value, int8_t alpha) { return Compute(value, alpha, params, rounding); });
  }
  return RunBroadcast(
      context, params.shape, context.DataAs<float>(params.input),
      context.DataAs<float>(params.alpha), context.DataAs<float>(params.output),
      [](float value, float alpha) { return value >= 0.0f ? value : value * alpha; });
}

}  // namespace

const Operator kPrelu = {static_cast<int32_t>(formats::OperatorCode::kPrelu), nullptr, PreparePrelu,
                         RunPrelu};

}  // namespace ota::engine
