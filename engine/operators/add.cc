// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/int8_only.h"
#include "engine/operators/operators.h"
#include "engine/operators/sum.h"

namespace ota::engine {

namespace {

Status PrepareAdd(PrepareContext& context) { return PrepareSum(context, SumKind::kAdd); }
Status RunAdd(RunContext& context) { return RunSum(context, SumKind::kAdd); }
Status RunAddInt8(RunContext& context) { return RunSumInt8(context, SumKind::kAdd); }

}  // namespace

const Operator kAdd = {static_cast<int32_t>(formats::OperatorCode::kAdd), nullptr, PrepareAdd,
                       RunAdd, SelectSumRows};
const Operator kAddInt8 = {static_cast<int32_t>(formats::OperatorCode::kAdd), nullptr,
                           PrepareInt8<PrepareAdd>, RunAddInt8, SelectSumRows};

}  // namespace ota::engine
