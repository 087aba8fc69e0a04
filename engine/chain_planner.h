// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "engine/chain.h"
#include "engine/memory_planner.h"

namespace ota::engine {

constexpr uint32_t kChainsMax = 8;

/// Chains of a plan, in execution order; none of them share an operator.
struct ChainList {
  Chain chains[kChainsMax];
  uint32_t count = 0;
};

/// Chains to plan with, and the most bytes that one of their operators commits.
struct ChainPlan {
  ChainList list;
  uint32_t params_bytes = 0;
};

/// What a survey of a model found: its buffers with the lifetimes of the plain plan, and who reads
/// what, in the order of operators.
struct ModelSurvey {
  BufferTable buffers;
  std::span<const RowLink> links;
  uint32_t operator_count = 0;
  uint32_t input_count = 0;  ///< buffers that are the model's inputs: the first ones
};

/// Whether an operator of a chain can write the rows of its output where those of its input lie, if
/// the chain makes that input and nobody else reads it.
bool CanShareLines(const BufferTable& buffers, const RowLink& link);

/// Finds the chains with which no operator and no chain needs more than `limit_bytes` of shared
/// memory at a time, at the least cost: weights read again for each further patch, then operators
/// begun again. Works in `workspace`, aligned to 8 bytes.
///
/// kArenaTooSmall: there are none, or more than kChainsMax, or the workspace is too small.
Status FindChains(const ModelSurvey& survey, uint32_t limit_bytes, MutableByteSpan workspace,
                  ChainList& result);

}  // namespace ota::engine
