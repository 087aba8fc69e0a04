// SPDX-License-Identifier: Apache-2.0
// The operators of the MLPerf Tiny models, for int8 alone.
#include "engine/operators/operators.h"
#include "firmware/run_model.h"

namespace ota::firmware {
namespace {

constexpr const engine::Operator* kOperators[] = {&engine::kAddInt8,
                                                  &engine::kAveragePool2dInt8,
                                                  &engine::kConv2dInt8,
                                                  &engine::kDepthwiseConv2dInt8,
                                                  &engine::kFullyConnectedInt8,
                                                  &engine::kReshape,
                                                  &engine::kSoftmaxInt8};

}  // namespace

engine::OperatorTable RunModelOperators() { return kOperators; }

}  // namespace ota::firmware
