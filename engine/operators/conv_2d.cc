// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/convolution.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

Status PrepareConv2d(PrepareContext& context) {
  return PrepareConvolution(context, ConvKind::kFull);
}

Status RunConv2d(RunContext& context) { return RunConvolution(context, ConvKind::kFull); }
Status RunConv2dInt8(RunContext& context) { return RunConvolutionInt8(context, ConvKind::kFull); }

}  // namespace

const Operator kConv2d = {static_cast<int32_t>(formats::OperatorCode::kConv2d), nullptr,
                          PrepareConv2d, RunConv2d};
const Operator kConv2dInt8 = {static_cast<int32_t>(formats::OperatorCode::kConv2d), nullptr,
                              PrepareConv2d, RunConv2dInt8, true};

}  // namespace ota::engine
