// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "engine/kernels/fixed_point.h"
#include "engine/kernels/requantize.h"
#include "engine/kernels/sigmoid_s16.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/unary.h"

// LOGISTIC and TANH: the same steps around two functions.

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr int32_t kInputIntegerBits = 4;

struct SigmoidParams {
  UnaryParams unary;
  Multiplier multiplier;  ///< of int8
  SigmoidScale scale;     ///< of int16
  int32_t radius;
  int16_t input_zero_point;
  TensorType type;
  uint8_t unused;
};

struct Logistic {
  static constexpr int32_t kOutputZeroPoint = -128;
  static constexpr int32_t kFractionBits = 8;
  static int32_t Compute(int32_t value) { return ComputeLogistic(value, kInputIntegerBits); }
  static float Compute(float value) { return 1.0f / (1.0f + std::exp(-value)); }
  static int16_t Compute(int16_t value, SigmoidScale scale) { return SigmoidS16(value, scale); }
  static constexpr int32_t kDirectPowerMax = -12;
};
struct Tanh {
  static constexpr int32_t kOutputZeroPoint = 0;
  static constexpr int32_t kFractionBits = 7;
  static int32_t Compute(int32_t value) { return ComputeTanh(value, kInputIntegerBits); }
  static float Compute(float value) { return std::tanh(value); }
  static int16_t Compute(int16_t value, SigmoidScale scale) { return TanhS16(value, scale); }
  static constexpr int32_t kDirectPowerMax = -11;
};

template <typename Function>
Status FillBytes(const TensorInfo& input, const TensorInfo& output, SigmoidParams& params) {
  OTA_TRY(VerifyQuantized(input));
  OTA_TRY(VerifyQuantized(output));
  if (output.zero_point != Function::kOutputZeroPoint) return Status::kUnsupportedQuantization;
  params.multiplier =
      QuantizeMultiplier(ExactReal::FromFloat(input.scale).Scaled(31 - kInputIntegerBits));
  params.input_zero_point = static_cast<int16_t>(input.zero_point);
  const int64_t reach = int64_t{(1 << kInputIntegerBits) - 1} << (31 - kInputIntegerBits);
  params.radius = static_cast<int32_t>(reach >> std::clamp(params.multiplier.shift, 0, 40));
  return Status::kOk;
}

// 3 * 4096 times the scale, times a power of two that makes more than 32767 / 2 of it, cut to a
// whole number.
Result<SigmoidScale> ComputeSigmoidScale(float scale) {
  constexpr uint64_t kLargest = uint64_t{32767} << 38;
  const ExactReal real = ExactReal::FromFloat(scale).Times(ExactReal::FromInteger(3 * 4096));
  const int32_t wanted = (real.mantissa() > kLargest ? -39 : -38) - real.exponent();
  const int32_t left = std::clamp(wanted, 0, 31);
  const int32_t right = -(real.exponent() + left);
  if (right < 38 || right > 52) return Status::kUnsupportedQuantization;
  return SigmoidScale{static_cast<int32_t>(real.mantissa() >> right), left};
}

template <typename Function>
Status FillWords(const TensorInfo& input, const TensorInfo& output, SigmoidParams& params) {
  OTA_TRY(VerifyQuantized(input));
  OTA_TRY(VerifyQuantized(output));
  const ScalePower input_power = ComputeScalePower(input.scale);
  const ScalePower output_power = ComputeScalePower(output.scale);
  if (!output_power.is_exact || output_power.power != -15 || input.zero_point != 0 ||
      output.zero_point != 0) {
    return Status::kUnsupportedQuantization;
  }
  const bool is_direct = input_power.is_exact && input_power.power >= -12 &&
                         input_power.power <= Function::kDirectPowerMax;
  if (is_direct) {
    params.scale = MakeSigmoidScale(input_power.power);
    return Status::kOk;
  }
  OTA_TRY(params.scale, ComputeSigmoidScale(input.scale));
  return Status::kOk;
}

template <typename Function>
Status PrepareSigmoid(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  SigmoidParams params{};
  params.type = input.type;
  switch (input.type) {
    case TensorType::kInt8:
      OTA_TRY(FillBytes<Function>(input, output, params));
      break;
    case TensorType::kInt16:
      OTA_TRY(FillWords<Function>(input, output, params));
      break;
    case TensorType::kFloat32:
      break;
    default:
      return Status::kUnsupportedType;
  }
  OTA_TRY(FillUnary(context, params.unary));
  return context.Commit(params, kUnarySlotCount);
}

template <typename Function>
int8_t ComputeByte(int8_t value, const SigmoidParams& params, RoundingMode rounding) {
  const int32_t centred = value - params.input_zero_point;
  if (centred <= -params.radius) return -128;
  if (centred >= params.radius) return 127;
  const int32_t scaled = Requantize(centred, params.multiplier, rounding);
  const int32_t result =
      ShiftRightRounding(Function::Compute(scaled), 31 - Function::kFractionBits);
  return static_cast<int8_t>(std::clamp(result + Function::kOutputZeroPoint, -128, 127));
}

template <typename Function>
Status RunSigmoid(RunContext& context) {
  const auto& params = context.params<SigmoidParams>();
  if (params.type == TensorType::kFloat32) {
    return RunElements<float>(context, params.unary,
                              [](float value) { return Function::Compute(value); });
  }
  if (params.type == TensorType::kInt16) {
    const SigmoidScale scale = params.scale;
    return RunElements<int16_t>(context, params.unary,
                                [scale](int16_t value) { return Function::Compute(value, scale); });
  }
  const RoundingMode rounding = context.rounding();
  return RunBytes(context, params.unary, [&params, rounding](int8_t value) {
    return ComputeByte<Function>(value, params, rounding);
  });
}

}  // namespace

const Operator kLogistic = {static_cast<int32_t>(formats::OperatorCode::kLogistic), nullptr,
                            PrepareSigmoid<Logistic>, RunSigmoid<Logistic>};
const Operator kTanh = {static_cast<int32_t>(formats::OperatorCode::kTanh), nullptr,
                        PrepareSigmoid<Tanh>, RunSigmoid<Tanh>};

}  // namespace ota::engine
