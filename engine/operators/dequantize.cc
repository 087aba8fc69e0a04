// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kUnitElements = 4096;

struct DequantizeParams {
  Slot input;
  Slot output;
  uint32_t count;
  float scale;
  int32_t zero_point;
  TensorType type;
  uint8_t unused[3];
};

Status PrepareDequantize(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (output.type != TensorType::kFloat32) return Status::kUnsupportedType;
  if (input.element_count != output.element_count) return Status::kUnsupportedShape;
  OTA_TRY(VerifyQuantized(input));
  DequantizeParams params{};
  params.count = output.element_count;
  params.scale = input.scale;
  params.zero_point = input.zero_point;
  params.type = input.type;
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  context.AllowOverlap(0, 0, output.size_bytes - input.size_bytes);
  return context.Commit(params, 2);
}

template <typename Input>
Status RunElements(RunContext& context) {
  const auto& params = context.params<DequantizeParams>();
  const auto* const input = context.DataAs<Input>(params.input);
  auto* const output = context.DataAs<float>(params.output);
  while (context.unit() * kUnitElements < params.count) {
    const uint32_t first = context.unit() * kUnitElements;
    const uint32_t end = std::min(first + kUnitElements, params.count);
    for (uint32_t i = first; i < end; ++i) {
      output[i] = params.scale * static_cast<float>(int64_t{input[i]} - params.zero_point);
    }
    if (context.FinishUnit(kUnitElements)) return Status::kBusy;
  }
  return Status::kOk;
}

Status RunDequantize(RunContext& context) {
  switch (context.params<DequantizeParams>().type) {
    case TensorType::kInt8:
      return RunElements<int8_t>(context);
    case TensorType::kUint8:
      return RunElements<uint8_t>(context);
    case TensorType::kInt16:
      return RunElements<int16_t>(context);
    default:
      return RunElements<int32_t>(context);
  }
}

}  // namespace

const Operator kDequantize = {static_cast<int32_t>(formats::OperatorCode::kDequantize), nullptr,
                              PrepareDequantize, RunDequantize};

}  // namespace ota::engine
