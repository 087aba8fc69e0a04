// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <limits>

#include "engine/kernels/requantize.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/reduction.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct MeanParams {
  Slot input;
  Slot output;
  ReductionShape shape;
  Multiplier multiplier;
  int16_t input_zero_point;
  int16_t output_zero_point;
  TensorType type;
  uint8_t unused[3];
};

// The ratio of scales, divided by the number of inputs per output.
Multiplier ComputeMultiplier(float input_scale, float output_scale, uint32_t count) {
  const Multiplier ratio = QuantizeMultiplier(
      ExactReal::FromFloat(input_scale).DividedBy(ExactReal::FromFloat(output_scale)));
  const auto width = static_cast<int32_t>(std::bit_width(count)) - 1;
  const int32_t shift = std::max(std::min({width, 32, 31 + ratio.shift}), 0);
  const int64_t value = (int64_t{ratio.value} << shift) / count;
  return {static_cast<int32_t>(value), ratio.shift - shift};
}

Status PrepareMean(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.type != output.type) return Status::kUnsupportedType;
  MeanParams params{};
  params.type = input.type;
  OTA_TRY(ComputeReductionShape(context, params.shape));
  if (input.type == TensorType::kInt8 || input.type == TensorType::kInt16) {
    OTA_TRY(VerifyQuantized(input));
    OTA_TRY(VerifyQuantized(output));
    params.multiplier = ComputeMultiplier(input.scale, output.scale, params.shape.fold_count);
    params.input_zero_point = static_cast<int16_t>(input.zero_point);
    params.output_zero_point = static_cast<int16_t>(output.zero_point);
  } else if (input.type != TensorType::kFloat32) {
    return Status::kUnsupportedType;
  }
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  return context.Commit(params, 2);
}

template <typename Value>
Value Finish(int32_t sum, const MeanParams& params, RoundingMode rounding) {
  constexpr int32_t kLowest = std::numeric_limits<Value>::min();
  constexpr int32_t kHighest = std::numeric_limits<Value>::max();
  const auto count = static_cast<int32_t>(params.shape.fold_count);
  const int32_t centred = WrappingSubtract(sum, WrappingMultiply(params.input_zero_point, count));
  const int32_t result =
      WrappingAdd(Requantize(centred, params.multiplier, rounding), params.output_zero_point);
  return static_cast<Value>(std::clamp(result, kLowest, kHighest));
}

int32_t Add(int32_t a, int32_t b) { return WrappingAdd(a, b); }
float Add(float a, float b) { return a + b; }

template <typename Value, typename Sum, typename Complete>
Status RunOutputs(RunContext& context, Complete complete) {
  const auto& params = context.params<MeanParams>();
  const auto* const input = context.DataAs<Value>(params.input);
  auto* const output = context.DataAs<Value>(params.output);
  while (context.unit() < params.shape.output_count) {
    Sum sum = 0;
    ForEachFolded(params.shape, context.unit(),
                  [&](uint32_t index) { sum = Add(sum, Sum{input[index]}); });
    output[context.unit()] = complete(sum);
    if (context.FinishUnit(params.shape.fold_count)) return Status::kBusy;
  }
  return Status::kOk;
}

template <typename Value>
Status RunQuantized(RunContext& context) {
  const auto& params = context.params<MeanParams>();
  const RoundingMode rounding = context.rounding();
  return RunOutputs<Value, int32_t>(
      context, [&params, rounding](int32_t sum) { return Finish<Value>(sum, params, rounding); });
}

Status RunMean(RunContext& context) {
  const auto& params = context.params<MeanParams>();
  switch (params.type) {
    case TensorType::kInt8:
      return RunQuantized<int8_t>(context);
    case TensorType::kInt16:
      return RunQuantized<int16_t>(context);
    default: {
      const auto count = static_cast<float>(params.shape.fold_count);
      return RunOutputs<float, float>(context, [count](float sum) { return sum / count; });
    }
  }
}

}  // namespace

const Operator kMean = {static_cast<int32_t>(formats::OperatorCode::kMean), nullptr, PrepareMean,
                        RunMean};

}  // namespace ota::engine
