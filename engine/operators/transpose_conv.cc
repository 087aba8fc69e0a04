// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/convolution.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

Status PrepareTransposeConv(PrepareContext& context) {
  return PrepareConvolution(context, ConvKind::kTransposed);
}

Status RunTransposeConv(RunContext& context) {
  return RunConvolution(context, ConvKind::kTransposed);
}

}  // namespace

const Operator kTransposeConv = {static_cast<int32_t>(formats::OperatorCode::kTransposeConv),
                                 nullptr, PrepareTransposeConv, RunTransposeConv};

}  // namespace ota::engine
