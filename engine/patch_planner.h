// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"
#include "engine/plan.h"

namespace ota::engine {

class Interpreter;
class ModelPlanner;

/// What plans and runs patch-based execution (chain.h): an interface, so that a program that does
/// without does not link it. There is one implementation, kPatchPlanner.
class PatchPlanner {
 public:
  /// As ModelPlanner::Run, with chains of operators where plain plans do not fit: of all plans that
  /// fit, the one that reads the least from the source.
  virtual Status Run(ModelPlanner& planner) const = 0;

  /// Parameters of the record that comes next: in a chain those of a patch, and null if the
  /// operator has no rows to compute for it.
  virtual const void* SelectParams(Interpreter& interpreter, const RecordHeader& header) const = 0;
  /// To the record after the one that is done.
  virtual void GoOn(Interpreter& interpreter, const RecordHeader& header) const = 0;

 protected:
  ~PatchPlanner() = default;
};

extern const PatchPlanner& kPatchPlanner;

}  // namespace ota::engine
