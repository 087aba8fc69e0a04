// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/operators.h"
#include "engine/operators/sum.h"

namespace ota::engine {

namespace {

Status PrepareAdd(PrepareContext& context) {
  return PrepareSum(context, SumKind::kAdd, ComputeBroadcastShape);
}
Status PrepareEqualAdd(PrepareContext& context) {
  return PrepareSum(context, SumKind::kAdd, RequireEqualShapes);
}
Status RunAdd(RunContext& context) { return RunSum(context, SumKind::kAdd); }
Status RunEqualAdd(RunContext& context) { return RunEqualSumInt8(context, SumKind::kAdd); }

}  // namespace

const Operator kAdd = {static_cast<int32_t>(formats::OperatorCode::kAdd), nullptr, PrepareAdd,
                       RunAdd};
const Operator kAddInt8 = {static_cast<int32_t>(formats::OperatorCode::kAdd), nullptr,
                           PrepareEqualAdd, RunEqualAdd, true};

}  // namespace ota::engine
