// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/operators.h"
#include "engine/operators/parts.h"

namespace ota::engine {

using formats::TensorInfo;

namespace {

// The sizes of the parts are those of the output tensors, which the file gives.
Status PrepareAlong(PrepareContext& context, uint32_t whole_index, uint32_t axis_index) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(whole_index));
  OTA_TRY(const TensorInfo& axis, context.ReadInput(axis_index));
  if (!axis.is_constant) return Status::kNotConstant;
  OTA_TRY(const int32_t dimension, context.ReadConstantI32(axis, 0));
  OTA_TRY(const uint32_t outer, CountBefore(input, dimension, input.rank));
  return PrepareParts(context, PartsDirection::kDivide, whole_index, outer);
}

Status PrepareSplit(PrepareContext& context) { return PrepareAlong(context, 1, 0); }
Status PrepareSplitV(PrepareContext& context) { return PrepareAlong(context, 0, 2); }

}  // namespace

const Operator kSplit = {static_cast<int32_t>(formats::OperatorCode::kSplit), nullptr, PrepareSplit,
                         RunDivide};
const Operator kSplitV = {static_cast<int32_t>(formats::OperatorCode::kSplitV), nullptr,
                          PrepareSplitV, RunDivide};

}  // namespace ota::engine
