// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/convolution.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

Status PrepareTransposeConv(PrepareContext& context) {
  WindowOptions options;
  options.padding = context.OptionU8(0);
  options.stride_width = context.OptionI32(1);
  options.stride_height = context.OptionI32(2);
  return PrepareConvolution(context, ConvKind::kTransposed, options, context.OptionU8(3));
}

Status RunTransposeConv(RunContext& context) {
  return RunConvolution(context, ConvKind::kTransposed);
}

}  // namespace

const Operator kTransposeConv = {static_cast<int32_t>(formats::OperatorCode::kTransposeConv),
                                 nullptr, PrepareTransposeConv, RunTransposeConv};

}  // namespace ota::engine
