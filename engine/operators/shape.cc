// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/operators/operators.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct ShapeParams {
  Slot output;
  uint32_t rank;
  int32_t dimensions[formats::kRankMax];
};

Status PrepareShape(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (output.type != TensorType::kInt32) return Status::kUnsupportedType;
  if (output.element_count != input.rank) return Status::kUnsupportedShape;
  ShapeParams params{};
  params.rank = input.rank;
  std::copy_n(input.dimensions.begin(), input.rank, params.dimensions);
  params.output = context.OutputSlot(0);
  return context.Commit(params, 1);
}

Status RunShape(RunContext& context) {
  const auto& params = context.params<ShapeParams>();
  std::copy_n(params.dimensions, params.rank, context.DataAs<int32_t>(params.output));
  return Status::kOk;
}

}  // namespace

const Operator kShape = {static_cast<int32_t>(formats::OperatorCode::kShape), nullptr, PrepareShape,
                         RunShape};

}  // namespace ota::engine
