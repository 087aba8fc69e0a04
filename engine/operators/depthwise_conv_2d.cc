// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/convolution.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

Status PrepareDepthwiseConv2d(PrepareContext& context) {
  WindowOptions options;
  options.padding = context.OptionU8(0);
  options.stride_width = context.OptionI32(1);
  options.stride_height = context.OptionI32(2);
  options.dilation_width = context.OptionI32(5, 1);
  options.dilation_height = context.OptionI32(6, 1);
  return PrepareConvolution(context, ConvKind::kDepthwise, options, context.OptionU8(4));
}

Status RunDepthwiseConv2d(RunContext& context) {
  return RunConvolution(context, ConvKind::kDepthwise);
}

Status RunDepthwiseConv2dInt8(RunContext& context) {
  return RunConvolutionInt8(context, ConvKind::kDepthwise);
}

}  // namespace

const Operator kDepthwiseConv2d = {static_cast<int32_t>(formats::OperatorCode::kDepthwiseConv2d),
                                   nullptr, PrepareDepthwiseConv2d, RunDepthwiseConv2d};
const Operator kDepthwiseConv2dInt8 = {
    static_cast<int32_t>(formats::OperatorCode::kDepthwiseConv2d), nullptr, PrepareDepthwiseConv2d,
    RunDepthwiseConv2dInt8, true};

}  // namespace ota::engine
