// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/operators.h"
#include "engine/operators/sum.h"

namespace ota::engine {

namespace {

Status PrepareAdd(PrepareContext& context) { return PrepareSum(context, SumKind::kAdd); }
Status RunAdd(RunContext& context) { return RunSum(context, SumKind::kAdd); }

}  // namespace

const Operator kAdd = {static_cast<int32_t>(formats::OperatorCode::kAdd), nullptr, PrepareAdd,
                       RunAdd};
const Operator kAddInt8 = {static_cast<int32_t>(formats::OperatorCode::kAdd), nullptr,
                           PrepareEqualAddInt8, RunEqualAddInt8, true};

}  // namespace ota::engine
