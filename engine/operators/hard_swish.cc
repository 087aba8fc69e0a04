// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/requantize.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/unary.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

// Arithmetic in 16 bits, as TensorFlow Lite defines it: the input, with seven more bits, is scaled
// once to the output and once to a ramp that is 0 at -3 and 1 at 3; the result is their product.
struct HardSwishParams {
  UnaryParams unary;
  int16_t output_multiplier;
  int16_t ramp_multiplier;
  int16_t output_exponent;
  int16_t ramp_exponent;
  int16_t input_zero_point;
  int16_t output_zero_point;
  TensorType type;
  uint8_t unused[3];
};

constexpr int32_t kLowest = INT16_MIN;
constexpr int32_t kHighest = INT16_MAX;

int16_t Narrow(int32_t multiplier) {
  constexpr int32_t kHalf = 1 << 15;
  return multiplier >= INT32_MAX - kHalf ? INT16_MAX
                                         : static_cast<int16_t>((multiplier + kHalf) >> 16);
}

// a * b / 2^15, rounded half away from zero.
int32_t MultiplyRounding(int32_t a, int32_t b) {
  if (a == kLowest && b == kLowest) return kHighest;
  const int32_t product = a * b;
  const int32_t nudge = product >= 0 ? 1 << 14 : 1 - (1 << 14);
  return (product + nudge) / (1 << 15);
}

int32_t MultiplyTruncating(int32_t a, int32_t b) {
  if (a == kLowest && b == kLowest) return kHighest;
  return a * b / (1 << 15);
}

int32_t ShiftLeft(int32_t value, int32_t bits) {
  const int64_t shifted = int64_t{value} * (int64_t{1} << bits);
  return static_cast<int32_t>(std::clamp<int64_t>(shifted, kLowest, kHighest));
}

Status PrepareHardSwish(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  HardSwishParams params{};
  params.type = input.type;
  if (input.type == TensorType::kInt8) {
    OTA_TRY(VerifyQuantized(input));
    OTA_TRY(VerifyQuantized(output));
    const float fine_scale = (1.0f / 128.0f) * input.scale;
    const Multiplier to_output =
        QuantizeMultiplier(ExactReal::FromFloat(fine_scale / output.scale));
    const Multiplier to_ramp =
        QuantizeMultiplier(ExactReal::FromFloat(fine_scale / (3.0f / 32768.0f)));
    if (to_output.shift > 0 || to_ramp.shift > 31) return Status::kUnsupportedQuantization;
    params.output_multiplier = Narrow(to_output.value);
    params.output_exponent = static_cast<int16_t>(to_output.shift);
    params.ramp_multiplier = Narrow(to_ramp.value);
    params.ramp_exponent = static_cast<int16_t>(to_ramp.shift);
    params.input_zero_point = static_cast<int16_t>(input.zero_point);
    params.output_zero_point = static_cast<int16_t>(output.zero_point);
  } else if (input.type != TensorType::kFloat32) {
    return Status::kUnsupportedType;
  }
  OTA_TRY(FillUnary(context, params.unary));
  return context.Commit(params, kUnarySlotCount);
}

int32_t ComputeRamp(int32_t fine, const HardSwishParams& params) {
  int32_t ramp = fine;
  if (params.ramp_exponent > 0) ramp = ShiftLeft(ramp, params.ramp_exponent - 1);
  ramp = MultiplyRounding(ramp, params.ramp_multiplier);
  if (params.ramp_exponent > 0) ramp = ShiftLeft(ramp, 1);
  if (params.ramp_exponent < 0) ramp = ShiftRightRounding(ramp, -params.ramp_exponent);
  return (ramp + (1 << 15)) >> 1;
}

int8_t Compute(int8_t value, const HardSwishParams& params) {
  const auto fine = static_cast<int16_t>((value - params.input_zero_point) * 128);
  const int32_t scaled = MultiplyRounding(fine, params.output_multiplier);
  const int32_t product = MultiplyTruncating(ComputeRamp(fine, params), scaled);
  const int32_t result =
      ShiftRightRounding(product, -params.output_exponent) + params.output_zero_point;
  return static_cast<int8_t>(std::clamp(result, -128, 127));
}

Status RunHardSwish(RunContext& context) {
  const auto& params = context.params<HardSwishParams>();
  if (params.type == TensorType::kInt8) {
    return RunBytes(context, params.unary,
                    [&params](int8_t value) { return Compute(value, params); });
  }
  return RunElements<float>(context, params.unary, [](float value) {
    return value * std::clamp(value + 3.0f, 0.0f, 6.0f) / 6.0f;
  });
}

}  // namespace

const Operator kHardSwish = {static_cast<int32_t>(formats::OperatorCode::kHardSwish), nullptr,
                             PrepareHardSwish, RunHardSwish};

}  // namespace ota::engine
