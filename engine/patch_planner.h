// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace ota::engine {

struct ChainList;
struct ModelSurvey;
class PlanBuilder;

/// What plans patch-based execution (chain.h): a record of pointers, so that a program that does
/// without does not link it.
struct PatchPlanner {
  Status (*find_chains)(const ModelSurvey& survey, uint32_t limit_bytes, MutableByteSpan workspace,
                        ChainList& result);
  void (*finish_chains)(PlanBuilder& builder);
};

extern const PatchPlanner kPatchPlanner;

}  // namespace ota::engine
