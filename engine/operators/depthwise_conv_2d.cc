// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/convolution.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

Status PrepareDepthwiseConv2d(PrepareContext& context) {
  return PrepareConvolution(context, ConvKind::kDepthwise);
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
