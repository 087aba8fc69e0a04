// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/broadcast.h"
#include "engine/operators/operators.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct ExtremeParams {
  Slot first;
  Slot second;
  Slot output;
  BroadcastShape shape;
  TensorType type;
  uint8_t unused[3];
};

Status PrepareExtreme(PrepareContext& context) {
  OTA_TRY(const TensorInfo& first, context.ReadInput(0));
  OTA_TRY(const TensorInfo& second, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (first.type != output.type || second.type != output.type) return Status::kUnsupportedType;
  const bool is_known = output.type == TensorType::kInt8 || output.type == TensorType::kInt16 ||
                        output.type == TensorType::kInt32 || output.type == TensorType::kFloat32;
  if (!is_known) return Status::kUnsupportedType;
  ExtremeParams params{};
  params.type = output.type;
  OTA_TRY(ComputeBroadcastShape(first, second, output, params.shape));
  params.first = context.InputSlot(0);
  params.second = context.InputSlot(1);
  params.output = context.OutputSlot(0);
  AllowElementwiseOverlap(context, params.shape);
  return context.Commit(params, 3);
}

struct Maximum {
  template <typename Value>
  Value operator()(Value a, Value b) const {
    return a > b ? a : b;
  }
};
struct Minimum {
  template <typename Value>
  Value operator()(Value a, Value b) const {
    return a < b ? a : b;
  }
};

template <typename Value, typename Choose>
Status RunAs(RunContext& context) {
  const auto& params = context.params<ExtremeParams>();
  return RunBroadcast(context, params.shape, context.DataAs<Value>(params.first),
                      context.DataAs<Value>(params.second), context.DataAs<Value>(params.output),
                      Choose());
}

template <typename Choose>
Status RunExtreme(RunContext& context) {
  switch (context.params<ExtremeParams>().type) {
    case TensorType::kInt8:
      return RunAs<int8_t, Choose>(context);
    case TensorType::kInt16:
      return RunAs<int16_t, Choose>(context);
    case TensorType::kInt32:
      return RunAs<int32_t, Choose>(context);
    default:
      return RunAs<float, Choose>(context);
  }
}

}  // namespace

const Operator kMaximum = {static_cast<int32_t>(formats::OperatorCode::kMaximum), nullptr,
                           PrepareExtreme, RunExtreme<Maximum>};
const Operator kMinimum = {static_cast<int32_t>(formats::OperatorCode::kMinimum), nullptr,
                           PrepareExtreme, RunExtreme<Minimum>};

}  // namespace ota::engine
