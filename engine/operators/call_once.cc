// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/operators.h"
#include "engine/plan.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

// CALL_ONCE: a subgraph without inputs and outputs, which sets variables up, runs in the first
// inference after a reset. Its operators stand in the plan between two records of this operator.

namespace ota::engine {

namespace {

Status PrepareCallOnce(PrepareContext& context) {
  if (context.input_count() != 0 || context.output_count() != 0) return Status::kModelMalformed;
  const CallOnceParams params{context.StateSlot(1), 0};
  const int32_t subgraph = context.OptionI32(formats::call_once_slot::kSubgraph);
  context.CallSubgraph(static_cast<uint32_t>(subgraph), params.is_done);
  return context.Commit(params, 1);
}

Status RunCallOnce(RunContext& context) {
  const auto& params = context.params<CallOnceParams>();
  uint8_t& is_done = *context.Data(params.is_done);
  if (params.is_end != 0) {
    is_done = 1;
  } else if (is_done != 0) {
    context.SkipToNextOfSame();
  }
  return Status::kOk;
}

}  // namespace

const Operator kCallOnce = {static_cast<int32_t>(formats::OperatorCode::kCallOnce), nullptr,
                            PrepareCallOnce, RunCallOnce};

}  // namespace ota::engine
