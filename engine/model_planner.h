// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/byte_source.h"
#include "engine/chain_planner.h"
#include "engine/model_summary.h"
#include "engine/operator_table.h"
#include "engine/patch_planner.h"
#include "engine/plan.h"
#include "engine/plan_builder.h"

namespace ota::engine {

/// Prepares the operators of the subgraph that the last operator calls, and what follows them: a
/// function apart, so that without CALL_ONCE it is not linked.
Status WalkCalledSubgraph(PlanWalk& walk);

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
  uint32_t page_bytes = 0;                    ///< 0: the planner chooses
  const ReportRules* report_rules = nullptr;  ///< null: nothing is observed
  const PatchPlanner* patch_planner = nullptr;
};

/// Plans a verified model. If no plain plan fits the limit, operators are chained into patches
/// if there is a planner for that; of all plans that fit, the one that reads the least from the
/// source. What it is given must outlive it.
class ModelPlanner {
 public:
  ModelPlanner(const PlanRequest& request, PlanLayout& layout, ModelSummary& summary,
               int32_t& failed_operator)
      : request_(request),
        layout_(layout),
        summary_(summary),
        failed_operator_(failed_operator),
        mapped_(request.source.Map()) {}

  /// Leaves the records in the request's memory.
  /// kArenaTooSmall: no plan fits; the summary tells the costs of the smallest plain plan, if the
  /// memory was large enough to find out. Other errors as Interpreter::Prepare; `failed_operator`
  /// is the operator that refused, or -1.
  Status Run();

  // For patch planners.

  const PlanRequest& request() const { return request_; }
  PlanBuilder::Options MakeOptions(uint32_t page_bytes) const;
  /// Prepares all operators. Errors as Run.
  Status Walk(PlanBuilder& builder, ModelSummary& summary);
  /// Makes the plan. kArenaTooSmall also if it is beyond the limit.
  Status Build(uint32_t page_bytes, PlanExtension* extension);
  /// Of the plan that was built, what the limit is of.
  uint32_t NeededBytes() const {
    return request_.shared.empty() ? summary_.arena_bytes : summary_.shared_bytes;
  }
  /// Keeps the plan that was built, with these chains or none, if it is the best one.
  void Keep(uint32_t page_bytes, const ChainPlan* chains);

 private:
  Status BuildBest();

  const PlanRequest& request_;
  PlanLayout& layout_;
  ModelSummary& summary_;
  int32_t& failed_operator_;
  const std::optional<ByteSpan> mapped_;
  uint32_t smallest_bytes_ = UINT32_MAX;  ///< of the plain plans
  uint32_t smallest_page_ = 0;
  uint32_t built_page_ = 0;
  bool built_chains_ = false;
  uint64_t best_reads_ = UINT64_MAX;
  uint32_t best_page_ = 0;
  bool best_has_chains_ = false;
  ChainPlan best_chains_;
};

}  // namespace ota::engine
