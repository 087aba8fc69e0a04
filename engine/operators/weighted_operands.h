// SPDX-License-Identifier: Apache-2.0
#pragma once

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
Result<WeightedOperands> ReadWeightedOperands(PrepareContext& context, uint32_t input_index,
                                              uint32_t bias_index);

}  // namespace ota::engine
