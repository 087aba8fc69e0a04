// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/plan_builder.h"
#include "engine/plan_request.h"

namespace ota::engine {

/// Prepares the operators of the subgraph that the last operator calls, and what follows them: a
/// function apart, so that without CALL_ONCE it is not linked.
Status WalkCalledSubgraph(PlanWalk& walk);

/// Plans a verified model. If no plain plan fits the limit, operators are chained into patches
/// if there is a planner for that; of all plans that fit, the one that reads the least from the
/// source. What it is given must outlive it.
class ModelPlanner {
 public:
  ModelPlanner(const PlanRequest& request, PlanOutcome& outcome)
      : request_(request), outcome_(outcome) {}

  /// Leaves the records in the request's memory.
  /// kArenaTooSmall: no plan fits; the summary tells the costs of the smallest plain plan, if the
  /// memory was large enough to find out. Other errors as Interpreter::Prepare; `failed_operator`
  /// is the operator that refused, or -1.
  Status Run();

  // For patch planners.

  const PlanRequest& request() const { return request_; }
  const ModelSummary& summary() const { return outcome_.summary; }
  /// The page to begin with; whether there is a smaller one to go on with.
  uint32_t FirstPage() const;
  bool GoOnToSmallerPage(uint32_t& page_bytes) const;
  /// Prepares all operators. Errors as Run.
  Status Walk(PlanBuilder& builder, ModelSummary& summary);
  /// Makes the plan. kArenaTooSmall also if it is beyond the limit.
  Status Build(uint32_t page_bytes, PlanExtension* extension);
  /// Makes the smallest of the plain plans that were built, for what it would need.
  Status BuildSmallest() { return Build(smallest_page_, nullptr); }
  /// Of the plan that was built, what the limit is of.
  uint32_t NeededBytes() const {
    return request_.is_one_memory() ? summary().arena_bytes : summary().shared_bytes;
  }

 private:
  bool is_page_free() const {
    return request_.mapped == nullptr && request_.options.page_bytes == 0;
  }

  const PlanRequest& request_;
  PlanOutcome& outcome_;
  uint32_t smallest_bytes_ = UINT32_MAX;  ///< of the plain plans
  uint32_t smallest_page_ = kPageBytesMin;
};

}  // namespace ota::engine
