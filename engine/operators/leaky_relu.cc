// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "engine/kernels/requantize.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/unary.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct LeakyReluParams {
  UnaryParams unary;
  Multiplier identity;
  Multiplier slope;
  float alpha;
  int16_t input_zero_point;
  int16_t output_zero_point;
  TensorType type;
  uint8_t unused[3];
};

Status PrepareLeakyRelu(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  LeakyReluParams params{};
  params.type = input.type;
  params.alpha = context.OptionF32(0);
  if (!std::isfinite(params.alpha)) return Status::kUnsupportedQuantization;
  if (input.type == TensorType::kInt8 || input.type == TensorType::kInt16) {
    OTA_TRY(VerifyQuantized(input));
    OTA_TRY(VerifyQuantized(output));
    // The ratios are taken in float32.
    const float slope = input.scale * params.alpha / output.scale;
    if (!std::isfinite(slope)) return Status::kUnsupportedQuantization;
    params.slope = QuantizeMultiplier(ExactReal::FromFloat(slope));
    params.identity = QuantizeMultiplier(ExactReal::FromFloat(input.scale / output.scale));
    params.input_zero_point = static_cast<int16_t>(input.zero_point);
    params.output_zero_point = static_cast<int16_t>(output.zero_point);
  } else if (input.type != TensorType::kFloat32) {
    return Status::kUnsupportedType;
  }
  OTA_TRY(FillUnary(context, params.unary));
  return context.Commit(params, kUnarySlotCount);
}

template <typename Value>
Value Compute(Value value, const LeakyReluParams& params, RoundingMode rounding) {
  constexpr int32_t kLowest = std::numeric_limits<Value>::min();
  constexpr int32_t kHighest = std::numeric_limits<Value>::max();
  const int32_t centred = value - params.input_zero_point;
  int32_t scaled = 0;
  if (centred >= 0) {
    scaled = Requantize(centred, params.identity, rounding);
  } else {
    const int32_t product = Requantize(centred, params.slope, rounding);
    scaled = params.alpha < 0.0f ? WrappingSubtract(0, product) : product;
  }
  const int32_t result = WrappingAdd(scaled, params.output_zero_point);
  return static_cast<Value>(std::clamp(result, kLowest, kHighest));
}

Status RunLeakyRelu(RunContext& context) {
  const auto& params = context.params<LeakyReluParams>();
  const RoundingMode rounding = context.rounding();
  switch (params.type) {
    case TensorType::kInt8:
      return RunBytes(context, params.unary, [&params, rounding](int8_t value) {
        return Compute(value, params, rounding);
      });
    case TensorType::kInt16:
      return RunElements<int16_t>(context, params.unary, [&params, rounding](int16_t value) {
        return Compute(value, params, rounding);
      });
    default:
      return RunElements<float>(context, params.unary, [&params](float value) {
        return value > 0.0f ? value : value * params.alpha;
      });
  }
}

}  // namespace

const Operator kLeakyRelu = {static_cast<int32_t>(formats::OperatorCode::kLeakyRelu), nullptr,
                             PrepareLeakyRelu, RunLeakyRelu};

}  // namespace ota::engine
