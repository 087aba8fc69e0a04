// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/kernels/fixed_point.h"
#include "engine/kernels/requantize.h"
#include "engine/kernels/softmax_tables.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr int32_t kDifferenceIntegerBits = 5;
constexpr int32_t kSumIntegerBits = 12;

struct SoftmaxParams {
  Slot input;
  Slot output;
  uint32_t depth;
  uint32_t row_count;
  int32_t multiplier;
  int32_t difference_min;
  float beta;
  int8_t shift;
  TensorType input_type;
  TensorType output_type;
  uint8_t unused;
};

bool IsNear(float value, float expected) {
  return std::fabs(value - expected) <= 0.001f * expected;
}

bool IsFiniteAndNotNegative(float value) {
  constexpr uint32_t kInfinity = 0x7F800000, kMinusZero = 0x80000000;
  const auto bits = std::bit_cast<uint32_t>(value);
  return bits < kInfinity || bits == kMinusZero;
}

// beta * scale as a multiplier above one of differences in Q5.26, and the lowest difference whose
// exponential is not zero.
void FillScaling(float scale, RoundingMode rounding, SoftmaxParams& params) {
  Multiplier multiplier = ComputeMultiplier(params.beta, scale, 1.0f, 31 - kDifferenceIntegerBits);
  const int32_t below = rounding == RoundingMode::kDouble ? 0 : 1;
  const Multiplier highest = {INT32_MAX - below, 31 - below};
  if (multiplier.shift > highest.shift) multiplier = highest;
  if (multiplier.shift == highest.shift)
    multiplier.value = std::min(multiplier.value, highest.value);
  params.multiplier = multiplier.value;
  params.shift = static_cast<int8_t>(multiplier.shift);
  const int64_t radius = int64_t{(1 << kDifferenceIntegerBits) - 1}
                         << (31 - kDifferenceIntegerBits);
  const int32_t shift = std::clamp<int32_t>(params.shift, 0, 40);
  params.difference_min = static_cast<int32_t>(-(radius >> shift));
}

// Of int16: differences of 65535 steps stand for the ten that the table of exp spans.
Status FillTableScaling(float scale, SoftmaxParams& params) {
  const ExactReal product = ExactReal::FromFloat(params.beta).Times(ExactReal::FromFloat(scale));
  const ExactReal step = ExactReal::FromInteger(10).DividedBy(ExactReal::FromInteger(65535));
  const Multiplier multiplier = QuantizeMultiplier(product.DividedBy(step));
  if (multiplier.shift > 14) return Status::kUnsupportedQuantization;
  params.multiplier = multiplier.value;
  params.shift = static_cast<int8_t>(multiplier.shift);
  return Status::kOk;
}

Status VerifyBothQuantized(const TensorInfo& input, const TensorInfo& output) {
  OTA_TRY(VerifyQuantized(input));
  return VerifyQuantized(output);
}

// Checks types and quantization, and fills what comes of them.
using FillTypes = Status (*)(const TensorInfo& input, const TensorInfo& output,
                             RoundingMode rounding, SoftmaxParams& params);

Status FillInt8(const TensorInfo& input, const TensorInfo& output, RoundingMode rounding,
                SoftmaxParams& params) {
  OTA_TRY(VerifyBothQuantized(input, output));
  const bool fits = output.zero_point == -128 && output.scale == 1.0f / 256;
  if (!fits) return Status::kUnsupportedQuantization;
  FillScaling(input.scale, rounding, params);
  return Status::kOk;
}

Status FillInt8ToInt16(const TensorInfo& input, const TensorInfo& output, RoundingMode rounding,
                       SoftmaxParams& params) {
  OTA_TRY(VerifyBothQuantized(input, output));
  const bool fits = output.zero_point == -32768 && IsNear(output.scale, 1.0f / 65536);
  if (!fits) return Status::kUnsupportedQuantization;
  FillScaling(input.scale, rounding, params);
  return Status::kOk;
}

Status FillInt16(const TensorInfo& input, const TensorInfo& output, SoftmaxParams& params) {
  OTA_TRY(VerifyBothQuantized(input, output));
  const bool fits =
      input.zero_point == 0 && output.zero_point == 0 && IsNear(output.scale, 1.0f / 32768);
  return fits ? FillTableScaling(input.scale, params) : Status::kUnsupportedQuantization;
}

Status FillAnyType(const TensorInfo& input, const TensorInfo& output, RoundingMode rounding,
                   SoftmaxParams& params) {
  if (input.type == TensorType::kInt8 && output.type == TensorType::kInt16) {
    return FillInt8ToInt16(input, output, rounding, params);
  }
  if (input.type != output.type) return Status::kUnsupportedType;
  switch (input.type) {
    case TensorType::kFloat32:
      return Status::kOk;
    case TensorType::kInt16:
      return FillInt16(input, output, params);
    case TensorType::kInt8:
      return FillInt8(input, output, rounding, params);
    default:
      return Status::kUnsupportedType;
  }
}

template <FillTypes kFillTypes>
Status PrepareAs(PrepareContext& context) {
  TensorInfo input, output;
  context.ReadOperands(0, input, output);
  SoftmaxParams params{};
  params.beta = context.OptionF32(0);
  if (!IsFiniteAndNotNegative(params.beta)) return Status::kUnsupportedQuantization;
  OTA_TRY(kFillTypes(input, output, context.rounding(), params));
  if (input.rank < 1 || input.element_count == 0 || input.element_count != output.element_count) {
    return Status::kUnsupportedShape;
  }
  params.depth = static_cast<uint32_t>(input.last_dimension());
  params.row_count = input.element_count / params.depth;
  params.input_type = input.type;
  params.output_type = output.type;
  params.input = context.InputSlot(input);
  params.output = context.OutputSlot(output);
  if (input.type == output.type) context.AllowOverlap(0, 0, 0);
  return context.Commit(params, 2);
}

Status PrepareSoftmax(PrepareContext& context) { return PrepareAs<FillAnyType>(context); }
Status PrepareSoftmaxInt8(PrepareContext& context) { return PrepareAs<FillInt8>(context); }

// exp of a difference to the highest input, in Q0.31.
int32_t ExpOfDifference(int32_t difference, const SoftmaxParams& params, RoundingMode rounding) {
  const int32_t scaled = Requantize(difference, {params.multiplier, params.shift}, rounding);
  return ComputeExpOfNegative(scaled, kDifferenceIntegerBits);
}

template <typename Output>
void SoftmaxRow(const SoftmaxParams& params, RoundingMode rounding, const int8_t* input,
                Output* output) {
  constexpr int32_t kLowest = std::numeric_limits<Output>::min();
  constexpr int32_t kHighest = std::numeric_limits<Output>::max();
  int32_t highest = INT8_MIN;
  for (uint32_t i = 0; i < params.depth; ++i) highest = std::max<int32_t>(highest, input[i]);
  int32_t sum = 0;
  for (uint32_t i = 0; i < params.depth; ++i) {
    const int32_t difference = input[i] - highest;
    if (difference < params.difference_min) continue;
    const int32_t exponential = ExpOfDifference(difference, params, rounding);
    sum = WrappingAdd(sum, ShiftRightRounding(exponential, kSumIntegerBits));
  }
  const Reciprocal reciprocal = ComputeReciprocal(sum, kSumIntegerBits);
  const int32_t exponent =
      std::clamp<int32_t>(reciprocal.bits_over_unit + 31 - 8 * int32_t{sizeof(Output)}, 0, 31);
  for (uint32_t i = 0; i < params.depth; ++i) {
    const int32_t difference = input[i] - highest;
    if (difference < params.difference_min) {
      output[i] = static_cast<Output>(kLowest);
      continue;
    }
    const int32_t exponential = ExpOfDifference(difference, params, rounding);
    const int32_t share =
        ShiftRightRounding(MultiplyHighRounding(reciprocal.value, exponential), exponent);
    output[i] = static_cast<Output>(std::min(share + kLowest, kHighest));
  }
}

void SoftmaxRow(const SoftmaxParams& params, RoundingMode, const float* input, float* output) {
  const float highest = *std::max_element(input, input + params.depth);
  float sum = 0.0f;
  for (uint32_t i = 0; i < params.depth; ++i) {
    output[i] = std::exp((input[i] - highest) * params.beta);
    sum += output[i];
  }
  for (uint32_t i = 0; i < params.depth; ++i) output[i] /= sum;
}

int16_t SaturateS16(int32_t value) {
  return static_cast<int16_t>(std::clamp<int32_t>(value, INT16_MIN, INT16_MAX));
}

void SoftmaxRow(const SoftmaxParams& params, RoundingMode rounding, const int16_t* input,
                int16_t* output) {
  const int32_t highest = *std::max_element(input, input + params.depth);
  int32_t sum = 0;
  for (uint32_t i = 0; i < params.depth; ++i) {
    const int32_t scaled =
        Requantize(input[i] - highest, {params.multiplier, params.shift}, rounding);
    output[i] = Interpolate(kExpTable, SaturateS16(WrappingAdd(scaled, INT16_MAX)));
    sum = WrappingAdd(sum, output[i]);
  }
  const int32_t headroom = std::min(std::countl_zero(static_cast<uint32_t>(sum)), 30);
  const int64_t shifted = ((int64_t{sum} << (headroom - 1)) + (1 << 13)) >> 14;
  const int32_t position = static_cast<int32_t>(shifted) - ((1 << 15) + (1 << 16));
  const int32_t reciprocal = Interpolate(kReciprocalTable, SaturateS16(position));
  const int32_t right = 31 - headroom;
  for (uint32_t i = 0; i < params.depth; ++i) {
    const int64_t product = int64_t{output[i]} * reciprocal + (int64_t{1} << (right - 1));
    output[i] = static_cast<int16_t>(std::clamp<int64_t>(product >> right, 0, INT16_MAX));
  }
}

template <typename Input, typename Output>
Status RunRows(RunContext& context) {
  const auto& params = context.params<SoftmaxParams>();
  while (context.unit() < params.row_count) {
    const uint32_t first = context.unit() * params.depth;
    SoftmaxRow(params, context.rounding(), context.DataAs<Input>(params.input) + first,
               context.DataAs<Output>(params.output) + first);
    if (context.FinishUnit(params.depth * 16)) return Status::kBusy;
  }
  return Status::kOk;
}

Status RunSoftmax(RunContext& context) {
  const auto& params = context.params<SoftmaxParams>();
  if (params.input_type == TensorType::kFloat32) return RunRows<float, float>(context);
  if (params.input_type == TensorType::kInt16) return RunRows<int16_t, int16_t>(context);
  return params.output_type == TensorType::kInt8 ? RunRows<int8_t, int8_t>(context)
                                                 : RunRows<int8_t, int16_t>(context);
}

Status RunSoftmaxInt8(RunContext& context) { return RunRows<int8_t, int8_t>(context); }

}  // namespace

const Operator kSoftmax = {static_cast<int32_t>(formats::OperatorCode::kSoftmax), nullptr,
                           PrepareSoftmax, RunSoftmax};
const Operator kSoftmaxInt8 = {static_cast<int32_t>(formats::OperatorCode::kSoftmax), nullptr,
                               PrepareSoftmaxInt8, RunSoftmaxInt8, true};

}  // namespace ota::engine
