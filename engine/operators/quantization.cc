// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

Result<QuantizedLimits> TypeLimits(TensorType type) {
  switch (type) {
    case TensorType::kInt8:
      return QuantizedLimits{-128, 127};
    case TensorType::kUint8:
      return QuantizedLimits{0, 255};
    case TensorType::kInt16:
      return QuantizedLimits{-32768, 32767};
    default:
      return Status::kUnsupportedType;
  }
}

Result<int32_t> Quantize(const TensorInfo& tensor, float value) {
  const float scaled = std::round(value / tensor.scale);
  constexpr float kLimit = 1073741824.0f;
  if (!(scaled >= -kLimit && scaled <= kLimit)) return Status::kUnsupportedQuantization;
  return tensor.zero_point + static_cast<int32_t>(scaled);
}

}  // namespace

int32_t RoundToInt(float value) { return static_cast<int32_t>(std::round(value)); }

Status VerifyActivation(uint8_t activation) {
  return activation <= static_cast<uint8_t>(Activation::kRelu6) ? Status::kOk
                                                                : Status::kUnsupportedType;
}

Status VerifyQuantized(const TensorInfo& tensor) {
  if (tensor.scale_count == 0) return Status::kUnsupportedQuantization;
  if (tensor.type == TensorType::kInt32) return Status::kOk;
  OTA_TRY(const QuantizedLimits limits, TypeLimits(tensor.type));
  const bool fits = tensor.zero_point >= limits.lowest && tensor.zero_point <= limits.highest;
  return fits ? Status::kOk : Status::kUnsupportedQuantization;
}

Result<QuantizedLimits> ComputeQuantizedLimits(const TensorInfo& output, uint8_t activation) {
  OTA_TRY(VerifyActivation(activation));
  OTA_TRY(VerifyQuantized(output));
  OTA_TRY(QuantizedLimits limits, TypeLimits(output.type));
  const FloatLimits floats = ComputeFloatLimits(activation);
  if (activation != static_cast<uint8_t>(Activation::kNone)) {
    OTA_TRY(const int32_t lowest, Quantize(output, floats.lowest));
    limits.lowest = std::max(limits.lowest, lowest);
  }
  if (activation >= static_cast<uint8_t>(Activation::kReluN1To1)) {
    OTA_TRY(const int32_t highest, Quantize(output, floats.highest));
    limits.highest = std::min(limits.highest, highest);
  }
  if (limits.lowest > limits.highest) return Status::kUnsupportedQuantization;
  return limits;
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
