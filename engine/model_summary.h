// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::engine {

/// What a prepared model costs, known before a byte of it is run. The bytes are those of every
/// target: the plan holds offsets, not pointers.
struct ModelSummary {
  uint32_t operator_count = 0;  ///< in the file
  uint32_t tensor_count = 0;
  uint32_t input_count = 0;
  uint32_t output_count = 0;

  uint32_t weight_bytes = 0;  ///< constants that operators read while running
  uint64_t mac_count = 0;     ///< multiply-accumulates of one inference, padding included
  /// Bytes read from a source that is not memory mapped in one inference; 0 when it is mapped.
  uint64_t read_bytes = 0;
  /// The same of what the first inference after a reset reads more: for CALL_ONCE.
  uint64_t once_read_bytes = 0;
  /// The same if every weight could be read exactly once.
  uint64_t single_pass_bytes = 0;

  /// Patch-based execution (chain.h), where the plain plan did not fit: chains of operators that
  /// run patch by patch, their operators, and the patches of all chains. No MAC is computed twice.
  uint32_t chain_count = 0;
  uint32_t chained_operator_count = 0;
  uint32_t patch_count = 0;

  uint32_t plan_bytes = 0;   ///< operator parameters, kept for as long as the model is prepared
  uint32_t state_bytes = 0;  ///< variable tensors and other state between inferences
  uint32_t persistent_bytes = 0;  ///< plan and state, as a memory of its own
  uint32_t shared_bytes = 0;      ///< activations and scratch, as a memory of its own
  /// Of one buffer for everything, aligned to kArenaAlignment: Prepare with exactly so many
  /// succeeds.
  uint32_t arena_bytes = 0;
};

}  // namespace ota::engine
