// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/chain.h"
#include "engine/interpreter.h"

namespace ota::engine {

/// How an interpreter, which must outlive this, goes through the records of chains.
class ChainRun {
 public:
  explicit ChainRun(Interpreter& interpreter) : interpreter_(interpreter) {}

  /// As PatchPlanner says.
  const void* SelectParams(const RecordHeader& header) const;
  void GoOn(const RecordHeader& header);

 private:
  ChainView ChainAt(uint32_t offset) const;
  /// Makes room in the line buffers for the next patch, which begins at `record_offset`; if there
  /// is none, the chain is done.
  void BeginPatch(uint32_t record_offset);

  Interpreter& interpreter_;
};

}  // namespace ota::engine
