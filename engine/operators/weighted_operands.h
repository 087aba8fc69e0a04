// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/operators/quantization.h"
#include "engine/prepare_context.h"

namespace ota::engine {

/// Operands of an operator with constant weights: the convolutions and FULLY_CONNECTED.
struct WeightedOperands {
  formats::TensorInfo input;
  formats::TensorInfo weights;
  formats::TensorInfo bias;
  formats::TensorInfo output;
  bool has_bias = false;
};

/// Reads them; the weights are operand 1. kModelMalformed: one is missing, or there are more
/// outputs; kNotConstant: weights or bias are computed; kUnsupportedType: not int8, int16 with int8
/// weights, or float32, or a bias of another type than goes with it.
Status ReadWeightedOperands(PrepareContext& context, uint32_t input_index, uint32_t bias_index,
                            WeightedOperands& operands);

/// Checks the quantization of operands that are not float, of weights with `outputs` channels along
/// `channel_dimension`, and computes the limits of results. Errors as ComputeQuantizedLimits;
/// kUnsupportedQuantization: also weights that are not symmetric, or have scales for another number
/// of channels, and zero points of int16.
Status VerifyWeightedQuantization(const WeightedOperands& operands, uint8_t activation,
                                  int32_t channel_dimension, uint32_t outputs,
                                  QuantizedLimits& limits);

}  // namespace ota::engine
