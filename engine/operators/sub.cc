// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/operators.h"
#include "engine/operators/sum.h"

namespace ota::engine {

namespace {

Status PrepareSub(PrepareContext& context) { return PrepareSum(context, SumKind::kSubtract); }
Status RunSub(RunContext& context) { return RunSum(context, SumKind::kSubtract); }

}  // namespace

const Operator kSub = {static_cast<int32_t>(formats::OperatorCode::kSub), nullptr, PrepareSub,
                       RunSub};

}  // namespace ota::engine
