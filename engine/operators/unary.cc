// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/unary.h"

#include "engine/chain_builder.h"
#include "engine/operators/patch_rules.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

Status FillUnary(PrepareContext& context, UnaryParams& params) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.type != output.type) return Status::kUnsupportedType;
  if (input.element_count != output.element_count) return Status::kUnsupportedShape;
  params.count = output.element_count;
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  const bool has_table = output.type == TensorType::kInt8 && params.count > kTableBytes;
  params.table = context.ScratchSlot(has_table ? kTableBytes : 0);
  context.AllowOverlap(0, 0, 0);
  return Status::kOk;
}

void AllowUnaryRows(ChainBuilder& chains, PrepareContext& context, const void*) {
  chains.AllowRows(context, 0, 0, {1, 1, 0});
}

void SelectUnaryRows(void* params, const PatchRows& rows) {
  uint32_t& count = static_cast<UnaryParams*>(params)->count;
  count = count / rows.output.count * rows.output.size();
}

}  // namespace ota::engine
