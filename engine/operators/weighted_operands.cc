// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/weighted_operands.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

// Types that go with one another.
struct TypeSet {
  TensorType values;
  TensorType weights;
  TensorType bias;
};
constexpr TypeSet kTypeSets[] = {
    {TensorType::kInt8, TensorType::kInt8, TensorType::kInt32},
    {TensorType::kInt16, TensorType::kInt8, TensorType::kInt64},
    {TensorType::kFloat32, TensorType::kFloat32, TensorType::kFloat32}};

Status VerifyTypes(const WeightedOperands& operands) {
  for (const TypeSet& types : kTypeSets) {
    if (operands.input.type == types.values && operands.output.type == types.values &&
        operands.weights.type == types.weights &&
        (!operands.has_bias || operands.bias.type == types.bias)) {
      return Status::kOk;
    }
  }
  return Status::kUnsupportedType;
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
  bool fits = weights.zero_point == 0 && weights.scale_count != 0;
  if (operands.input.type != TensorType::kInt8) {
    fits &= operands.input.zero_point == 0 && operands.output.zero_point == 0;
  }
  if (weights.scale_count != 1) {
    fits &= weights.channel_dimension == channel_dimension && weights.scale_count == outputs;
  }
  return fits ? Status::kOk : Status::kUnsupportedQuantization;
}

}  // namespace ota::engine
