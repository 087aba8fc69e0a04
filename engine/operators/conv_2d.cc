// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/convolution.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

Status PrepareConv2d(PrepareContext& context) {
  WindowOptions options;
  options.padding = context.OptionU8(0);
  options.stride_width = context.OptionI32(1);
  options.stride_height = context.OptionI32(2);
  options.dilation_width = context.OptionI32(4, 1);
  options.dilation_height = context.OptionI32(5, 1);
  return PrepareConvolution(context, ConvKind::kFull, options, context.OptionU8(3));
}

Status RunConv2d(RunContext& context) { return RunConvolution(context, ConvKind::kFull); }
Status RunConv2dInt8(RunContext& context) { return RunConvolutionInt8(context, ConvKind::kFull); }

}  // namespace

const Operator kConv2d = {static_cast<int32_t>(formats::OperatorCode::kConv2d), nullptr,
                          PrepareConv2d, RunConv2d};
const Operator kConv2dInt8 = {static_cast<int32_t>(formats::OperatorCode::kConv2d), nullptr,
                              PrepareConv2d, RunConv2dInt8, true};

}  // namespace ota::engine
