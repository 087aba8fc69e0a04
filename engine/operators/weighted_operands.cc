// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/weighted_operands.h"

namespace ota::engine {

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

Result<WeightedOperands> ReadWeightedOperands(PrepareContext& context, uint32_t input_index,
                                              uint32_t bias_index) {
  if (context.output_count() != 1) return Status::kModelMalformed;
  WeightedOperands operands;
  OTA_TRY(operands.input, context.ReadInput(input_index));
  OTA_TRY(operands.weights, context.ReadInput(1));
  OTA_TRY(operands.output, context.ReadOutput(0));
  operands.has_bias = context.HasInput(bias_index);
  if (operands.has_bias) {
    OTA_TRY(operands.bias, context.ReadInput(bias_index));
    if (!operands.bias.is_constant) return Status::kNotConstant;
  }
  if (!operands.weights.is_constant) return Status::kNotConstant;
  OTA_TRY(VerifyTypes(operands));
  return operands;
}

}  // namespace ota::engine
