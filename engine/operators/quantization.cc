// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

// Whether the tensor has a scale and a zero point within the limits of its type, which it sets.
Status ReadTypeLimits(const TensorInfo& tensor, QuantizedLimits& limits) {
  if (tensor.scale_count == 0) return Status::kUnsupportedQuantization;
  switch (tensor.type) {
    case TensorType::kInt8:
      limits = {-128, 127};
      break;
    case TensorType::kUint8:
      limits = {0, 255};
      break;
    case TensorType::kInt16:
      limits = {-32768, 32767};
      break;
    default:
      return Status::kUnsupportedType;
  }
  const bool fits = tensor.zero_point >= limits.lowest && tensor.zero_point <= limits.highest;
  return fits ? Status::kOk : Status::kUnsupportedQuantization;
}

}  // namespace

int32_t RoundToInt(float value) { return static_cast<int32_t>(std::round(value)); }

Status VerifyActivation(uint8_t activation) {
  return activation <= static_cast<uint8_t>(Activation::kRelu6) ? Status::kOk
                                                                : Status::kUnsupportedType;
}

Status VerifyQuantized(const TensorInfo& tensor) {
  if (tensor.type == TensorType::kInt32 && tensor.scale_count != 0) return Status::kOk;
  QuantizedLimits limits;
  return ReadTypeLimits(tensor, limits);
}

Status ComputeQuantizedLimits(const TensorInfo& output, uint8_t activation,
                              QuantizedLimits& limits) {
  OTA_TRY(VerifyActivation(activation));
  OTA_TRY(ReadTypeLimits(output, limits));
  const auto function = static_cast<Activation>(activation);
  if (function == Activation::kNone) return Status::kOk;
  int32_t lowest = output.zero_point;
  if (function != Activation::kRelu) {
    constexpr float kStepsMax = 1073741824.0f;
    const bool is_symmetric = function == Activation::kReluN1To1;
    const float steps = std::round((is_symmetric ? 1.0f : 6.0f) / output.scale);
    if (!(steps <= kStepsMax)) return Status::kUnsupportedQuantization;
    const auto count = static_cast<int32_t>(steps);
    const int32_t highest = output.zero_point + count;
    if (highest < limits.highest) limits.highest = static_cast<int16_t>(highest);
    if (is_symmetric) lowest -= count;
  }
  if (lowest > limits.lowest) limits.lowest = static_cast<int16_t>(lowest);
  return Status::kOk;
}

ScalePower ComputeScalePower(float scale) {
  // Mantissas, times 2^-52: the square root of 2, and 2 to the power of 0.001 and of 0.999.
  constexpr uint64_t kHalfWay = 0x16A09E667F3BCD;
  constexpr uint64_t kJustAbove = 0x1002D711C79A95;
  constexpr uint64_t kJustBelow = 0x1FFA52DE61C11F;
  const ExactReal real = ExactReal::FromFloat(scale);
  const uint64_t mantissa = real.mantissa();
  return {real.exponent() + 52 + (mantissa >= kHalfWay ? 1 : 0),
          mantissa < kJustAbove || mantissa > kJustBelow};
}

FloatLimits ComputeFloatLimits(uint8_t activation) {
  constexpr float kInfinity = std::numeric_limits<float>::max();
  switch (static_cast<Activation>(activation)) {
    case Activation::kRelu:
      return {0.0f, kInfinity};
    case Activation::kReluN1To1:
      return {-1.0f, 1.0f};
    case Activation::kRelu6:
      return {0.0f, 6.0f};
    default:
      return {-kInfinity, kInfinity};
  }
}

}  // namespace ota::engine
