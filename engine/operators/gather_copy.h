// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/chain.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

constexpr uint32_t kGatherRankMax = 5;

/// Parameters of an operator whose output, in order, takes its elements from the input at regular
/// distances: TRANSPOSE, STRIDED_SLICE.
struct GatherCopyParams {
  Slot input;
  Slot output;
  uint32_t first;                   ///< element of the input
  uint32_t sizes[kGatherRankMax];   ///< of the output, from the front; 1 where there is none
  int32_t strides[kGatherRankMax];  ///< in elements of the input
  uint8_t element_bytes;
  uint8_t unused[3];
};

/// Fills the slots and commits. Every element taken must lie in the input.
Status CommitGatherCopy(PrepareContext& context, GatherCopyParams& params);

/// Runs it, a run of the last dimension after the other.
Status RunGatherCopy(RunContext& context);

}  // namespace ota::engine
