// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/requantize.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/unary.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct ReluParams {
  UnaryParams unary;
  Multiplier multiplier;  ///< of RELU; RELU6 keeps the scale
  int16_t input_zero_point;
  int16_t output_zero_point;
  QuantizedLimits limits;
  TensorType type;
  Activation activation;
  uint16_t unused;
};

template <Activation kActivation>
Status PrepareRelu(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  ReluParams params{};
  params.type = input.type;
  params.activation = kActivation;
  if (input.type == TensorType::kInt8 || input.type == TensorType::kInt16) {
    OTA_TRY(VerifyQuantized(input));
    // RELU6 clamps in the input's quantization, which its output shares.
    const TensorInfo& limited = kActivation == Activation::kRelu ? output : input;
    OTA_TRY(ComputeQuantizedLimits(limited, static_cast<uint8_t>(kActivation), params.limits));
    params.multiplier = QuantizeMultiplier(ExactReal::FromFloat(input.scale / output.scale));
    params.input_zero_point = static_cast<int16_t>(input.zero_point);
    params.output_zero_point = static_cast<int16_t>(output.zero_point);
  } else if (input.type != TensorType::kFloat32) {
    return Status::kUnsupportedType;
  }
  OTA_TRY(FillUnary(context, params.unary));
  return context.Commit(params, kUnarySlotCount);
}

template <typename Value>
Value Compute(Value value, const ReluParams& params, RoundingMode rounding) {
  int32_t result = value;
  if (params.activation == Activation::kRelu) {
    const int32_t centred = value - params.input_zero_point;
    result =
        WrappingAdd(Requantize(centred, params.multiplier, rounding), params.output_zero_point);
  }
  return static_cast<Value>(
      std::clamp<int32_t>(result, params.limits.lowest, params.limits.highest));
}

Status RunRelu(RunContext& context) {
  const auto& params = context.params<ReluParams>();
  const RoundingMode rounding = context.rounding();
  if (params.type == TensorType::kInt8) {
    return RunBytes(context, params.unary,
                    [&params, rounding](int8_t value) { return Compute(value, params, rounding); });
  }
  if (params.type == TensorType::kInt16) {
    return RunElements<int16_t>(context, params.unary, [&params, rounding](int16_t value) {
      return Compute(value, params, rounding);
    });
  }
  const FloatLimits limits = ComputeFloatLimits(static_cast<uint8_t>(params.activation));
  return RunElements<float>(context, params.unary, [limits](float value) {
    return std::clamp(value, limits.lowest, limits.highest);
  });
}

}  // namespace

const Operator kRelu = {static_cast<int32_t>(formats::OperatorCode::kRelu), nullptr,
                        PrepareRelu<Activation::kRelu>, RunRelu};
const Operator kRelu6 = {static_cast<int32_t>(formats::OperatorCode::kRelu6), nullptr,
                         PrepareRelu<Activation::kRelu6>, RunRelu};

}  // namespace ota::engine
