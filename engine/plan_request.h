// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/interpreter.h"

namespace ota::engine {

/// What a plan is to be made of, and in which memory. What it names must outlive it.
struct PlanRequest {
  ByteSource& source;
  const uint8_t* mapped;  ///< the source's bytes; null: it is not memory mapped
  OperatorTable operators;
  MutableByteSpan persistent;
  MutableByteSpan shared;  ///< empty: both in `persistent`
  /// Bytes of activations and scratch that the plan may use, or, if both are in one memory, bytes
  /// of everything.
  uint32_t limit_bytes;
  const PrepareOptions& options;
  const ReportRules* report_rules = nullptr;  ///< null: nothing is observed

  bool is_one_memory() const { return shared.empty(); }
};

}  // namespace ota::engine
