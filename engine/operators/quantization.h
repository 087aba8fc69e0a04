// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/exact_real.h"
#include "formats/tflite/model_reader.h"

// What operators share when they are prepared: activation functions and the checks of quantization.

namespace ota::engine {

/// Fused activation, with the numbers of the schema.
enum class Activation : uint8_t { kNone = 0, kRelu = 1, kReluN1To1 = 2, kRelu6 = 3 };

struct QuantizedLimits {
  int16_t lowest;
  int16_t highest;
};
struct FloatLimits {
  float lowest;
  float highest;
};

/// Computes the limits of a quantized tensor under an activation.
/// kUnsupportedType: not int8, uint8 or int16, or another activation. kUnsupportedQuantization: no
/// scale, or the limits do not fit.
Status ComputeQuantizedLimits(const formats::TensorInfo& output, uint8_t activation,
                              QuantizedLimits& limits);

/// The same for float.
FloatLimits ComputeFloatLimits(uint8_t activation);

/// kUnsupportedType unless `activation` is one of Activation.
Status VerifyActivation(uint8_t activation);

/// kUnsupportedQuantization unless the tensor has a scale and a zero point that its type can hold
/// (of int16 and int32: 0).
Status VerifyQuantized(const formats::TensorInfo& tensor);

/// log2 of a positive scale, rounded.
struct ScalePower {
  int32_t power;
  bool is_exact;  ///< to a thousandth
};
ScalePower ComputeScalePower(float scale);

/// Rounds half away from zero.
int32_t RoundToInt(float value);

}  // namespace ota::engine
