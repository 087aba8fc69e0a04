// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/byte_source.h"
#include "engine/model_summary.h"
#include "engine/operator_table.h"
#include "engine/patch_planner.h"
#include "engine/plan.h"

namespace ota::engine {

/// What a plan is to be made of, and in which memory.
struct PlanRequest {
  ByteSource& source;
  OperatorTable operators;
  MutableByteSpan persistent;
  MutableByteSpan shared;  ///< empty: both in `persistent`
  /// Bytes of activations and scratch that the plan may use, or, if both are in one memory, bytes
  /// of everything.
  uint32_t limit_bytes = 0;
  RoundingMode rounding = RoundingMode::kDouble;
  uint32_t page_bytes = 0;  ///< 0: the planner chooses
  bool is_observed = false;
  const PatchPlanner* patch_planner = nullptr;
};

/// Plans a verified model. If no plain plan fits the limit, operators are chained into patches
/// if there is a planner for that; of all plans that fit, the one that reads the least from the
/// source. The records are then in `persistent`.
///
/// kArenaTooSmall: none fits; `summary` tells the costs of the smallest plain plan, if the memory
/// was large enough to find out. Other errors as Interpreter::Prepare; `failed_operator` is the
/// operator that refused, or -1.
Status PlanModel(const PlanRequest& request, PlanLayout& layout, ModelSummary& summary,
                 int32_t& failed_operator);

}  // namespace ota::engine
