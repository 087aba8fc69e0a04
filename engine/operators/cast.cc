// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "engine/operators/operators.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kUnitElements = 4096;

struct CastParams {
  Slot input;
  Slot output;
  uint32_t count;
  TensorType input_type;
  TensorType output_type;
  uint16_t unused;
};

bool IsCastable(TensorType type) {
  return type == TensorType::kInt8 || type == TensorType::kInt16 || type == TensorType::kInt32 ||
         type == TensorType::kUint32 || type == TensorType::kFloat32;
}

Status PrepareCast(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.element_count != output.element_count) return Status::kUnsupportedShape;
  if (!IsCastable(output.type)) return Status::kUnsupportedType;
  if (!IsCastable(input.type) && input.type != TensorType::kBool) return Status::kUnsupportedType;
  CastParams params{};
  params.count = output.element_count;
  params.input_type = input.type;
  params.output_type = output.type;
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  const uint32_t widening = std::max(input.size_bytes, output.size_bytes) - input.size_bytes;
  context.AllowOverlap(0, 0, widening);
  return context.Commit(params, 2);
}

// Integers wrap; what float cannot bring into an integer is the nearest one it can, NaN is 0.
template <typename Output, typename Input>
Output Convert(Input value) {
  if constexpr (std::is_same_v<Input, float> && !std::is_same_v<Output, float>) {
    if (std::isnan(value)) return 0;
    const float clamped = std::clamp(value, -2147483648.0f, 4294967040.0f);
    return static_cast<Output>(static_cast<int64_t>(clamped));
  } else {
    return static_cast<Output>(value);
  }
}

template <typename Input, typename Output>
Status RunElements(RunContext& context) {
  const auto& params = context.params<CastParams>();
  const auto* const input = context.DataAs<Input>(params.input);
  auto* const output = context.DataAs<Output>(params.output);
  while (context.unit() * kUnitElements < params.count) {
    const uint32_t first = context.unit() * kUnitElements;
    const uint32_t end = std::min(first + kUnitElements, params.count);
    for (uint32_t i = first; i < end; ++i) output[i] = Convert<Output>(input[i]);
    if (context.FinishUnit(kUnitElements)) return Status::kBusy;
  }
  return Status::kOk;
}

template <typename Input>
Status RunFrom(RunContext& context) {
  switch (context.params<CastParams>().output_type) {
    case TensorType::kInt8:
      return RunElements<Input, int8_t>(context);
    case TensorType::kInt16:
      return RunElements<Input, int16_t>(context);
    case TensorType::kInt32:
      return RunElements<Input, int32_t>(context);
    case TensorType::kUint32:
      return RunElements<Input, uint32_t>(context);
    default:
      return RunElements<Input, float>(context);
  }
}

Status RunCast(RunContext& context) {
  switch (context.params<CastParams>().input_type) {
    case TensorType::kBool:
      return RunFrom<uint8_t>(context);
    case TensorType::kInt8:
      return RunFrom<int8_t>(context);
    case TensorType::kInt16:
      return RunFrom<int16_t>(context);
    case TensorType::kInt32:
      return RunFrom<int32_t>(context);
    case TensorType::kUint32:
      return RunFrom<uint32_t>(context);
    default:
      return RunFrom<float>(context);
  }
}

}  // namespace

const Operator kCast = {static_cast<int32_t>(formats::OperatorCode::kCast), nullptr, PrepareCast,
                        RunCast};

}  // namespace ota::engine
