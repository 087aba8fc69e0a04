// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/kernels/requantize.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kUnitElements = 4096;

struct QuantizeParams {
  Slot input;
  Slot output;
  uint32_t count;
  int32_t multiplier;
  int32_t shift;
  int32_t input_zero_point;
  int32_t output_zero_point;
  float output_scale;
  TensorType input_type;
  TensorType output_type;
  uint16_t unused;
};

bool IsInteger(TensorType type) {
  return type == TensorType::kInt8 || type == TensorType::kUint8 || type == TensorType::kInt16 ||
         type == TensorType::kInt32;
}

Status PrepareQuantize(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.element_count != output.element_count) return Status::kUnsupportedShape;
  const bool is_float = input.type == TensorType::kFloat32;
  if (!IsInteger(output.type) || !(is_float || IsInteger(input.type))) {
    return Status::kUnsupportedType;
  }
  OTA_TRY(VerifyQuantized(output));
  if (output.scale_count != 1) return Status::kUnsupportedQuantization;
  QuantizeParams params{};
  params.count = output.element_count;
  params.input_zero_point = input.zero_point;
  params.output_zero_point = output.zero_point;
  params.output_scale = output.scale;
  params.input_type = input.type;
  params.output_type = output.type;
  if (!is_float) {
    OTA_TRY(VerifyQuantized(input));
    const Multiplier multiplier = QuantizeMultiplier(
        ExactReal::FromFloat(input.scale).DividedBy(ExactReal::FromFloat(output.scale)));
    params.multiplier = multiplier.value;
    params.shift = multiplier.shift;
  }
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  const uint32_t widening = std::max(input.size_bytes, output.size_bytes) - input.size_bytes;
  context.AllowOverlap(0, 0, widening);
  return context.Commit(params, 2);
}

template <typename Output>
Output Saturate(int32_t value) {
  constexpr int32_t kLowest = std::numeric_limits<Output>::min();
  constexpr int32_t kHighest = std::numeric_limits<Output>::max();
  return static_cast<Output>(std::clamp(value, kLowest, kHighest));
}

template <typename Output>
Output QuantizeOne(float value, const QuantizeParams& params, RoundingMode) {
  const float scaled = std::round(value / params.output_scale);
  if (std::isnan(scaled)) return Saturate<Output>(params.output_zero_point);
  constexpr float kLimit = 1073741824.0f;
  const auto rounded = static_cast<int32_t>(std::clamp(scaled, -kLimit, kLimit));
  return Saturate<Output>(WrappingAdd(rounded, params.output_zero_point));
}

template <typename Output>
Output QuantizeOne(int32_t value, const QuantizeParams& params, RoundingMode rounding) {
  const int32_t centred = WrappingSubtract(value, params.input_zero_point);
  const int32_t scaled = Requantize(centred, {params.multiplier, params.shift}, rounding);
  return Saturate<Output>(WrappingAdd(scaled, params.output_zero_point));
}

template <typename Input, typename Output>
Status RunElements(RunContext& context) {
  using Wide = std::conditional_t<std::is_same_v<Input, float>, float, int32_t>;
  const auto& params = context.params<QuantizeParams>();
  const auto* const input = context.DataAs<Input>(params.input);
  auto* const output = context.DataAs<Output>(params.output);
  while (context.unit() * kUnitElements < params.count) {
    const uint32_t first = context.unit() * kUnitElements;
    const uint32_t end = std::min(first + kUnitElements, params.count);
    for (uint32_t i = first; i < end; ++i) {
      output[i] = QuantizeOne<Output>(Wide{input[i]}, params, context.rounding());
    }
    if (context.FinishUnit(kUnitElements)) return Status::kBusy;
  }
  return Status::kOk;
}

template <typename Input>
Status RunFrom(RunContext& context) {
  switch (context.params<QuantizeParams>().output_type) {
    case TensorType::kInt8:
      return RunElements<Input, int8_t>(context);
    case TensorType::kUint8:
      return RunElements<Input, uint8_t>(context);
    case TensorType::kInt16:
      return RunElements<Input, int16_t>(context);
    default:
      return RunElements<Input, int32_t>(context);
  }
}

Status RunQuantize(RunContext& context) {
  switch (context.params<QuantizeParams>().input_type) {
    case TensorType::kFloat32:
      return RunFrom<float>(context);
    case TensorType::kInt8:
      return RunFrom<int8_t>(context);
    case TensorType::kUint8:
      return RunFrom<uint8_t>(context);
    case TensorType::kInt16:
      return RunFrom<int16_t>(context);
    default:
      return RunFrom<int32_t>(context);
  }
}

}  // namespace

const Operator kQuantize = {static_cast<int32_t>(formats::OperatorCode::kQuantize), nullptr,
                            PrepareQuantize, RunQuantize};

}  // namespace ota::engine
