// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/weighted_operands.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

Status VerifyTypes(const WeightedOperands& operands) {
  const TensorType type = operands.input.type;
  if (operands.output.type != type) return Status::kUnsupportedType;
  const bool is_float = type == TensorType::kFloat32;
  const bool is_int8 = type == TensorType::kInt8;
  if (!is_float && !is_int8 && type != TensorType::kInt16) return Status::kUnsupportedType;
  const TensorType weights = is_float ? TensorType::kFloat32 : TensorType::kInt8;
  if (operands.weights.type != weights) return Status::kUnsupportedType;
  const TensorType wide = is_int8 ? TensorType::kInt32 : TensorType::kInt64;
  const TensorType bias = is_float ? TensorType::kFloat32 : wide;
  const bool fits = !operands.has_bias || operands.bias.type == bias;
  return fits ? Status::kOk : Status::kUnsupportedType;
}

}  // namespace

Status ReadWeightedOperands(PrepareContext& context, uint32_t input_index, uint32_t bias_index,
                            WeightedOperands& operands) {
  if (context.output_count() != 1) return Status::kModelMalformed;
  context.ReadOperands(input_index, operands.input, operands.output);
  context.ReadInput(1, operands.weights);
  operands.has_bias = context.HasInput(bias_index);
  if (operands.has_bias) {
    context.ReadInput(bias_index, operands.bias);
    if (!operands.bias.is_constant) return Status::kNotConstant;
  }
  if (!operands.weights.is_constant) return Status::kNotConstant;
  return VerifyTypes(operands);
}

Status VerifyWeightedQuantization(const WeightedOperands& operands, uint8_t activation,
                                  int32_t channel_dimension, uint32_t outputs,
                                  QuantizedLimits& limits) {
  OTA_TRY(VerifyQuantized(operands.input));
  OTA_TRY(ComputeQuantizedLimits(operands.output, activation, limits));
  const TensorInfo& weights = operands.weights;
  const bool is_symmetric = operands.input.type == TensorType::kInt8 ||
                            (operands.input.zero_point == 0 && operands.output.zero_point == 0);
  const bool is_one_scale = weights.scale_count == 1;
  const bool is_per_channel =
      weights.channel_dimension == channel_dimension && weights.scale_count == outputs;
  const bool fits = weights.zero_point == 0 && is_symmetric && (is_one_scale || is_per_channel);
  if (!fits || weights.scale_count == 0) return Status::kUnsupportedQuantization;
  return Status::kOk;
}

}  // namespace ota::engine
