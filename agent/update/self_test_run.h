// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/byte_source.h"
#include "engine/interpreter.h"
#include "formats/manifest/manifest.h"

namespace ota::agent {

/// Runs the self-tests of a manifest on a model, in steps: the outputs must be the ones that the
/// publisher's machine got, bit for bit.
class SelfTestRun {
 public:
  /// `patch_planner`: null, or for models that fit the arena in patches alone.
  SelfTestRun(engine::OperatorTable operators, const engine::PatchPlanner* patch_planner)
      : interpreter_(operators), patch_planner_(patch_planner) {}

  /// Prepares the model in `arena`. All arguments must outlive the run.
  /// Statuses of Interpreter::Prepare.
  Status Begin(ByteSource& source, MutableByteSpan arena,
               const formats::ModelRequirements& requirements);

  /// Goes on by about `mac_budget` multiply-accumulates. kBusy: not done. kOk: all tests gave what
  /// they should. kSelfTestFailed: one did not, or its input does not fit the model. Otherwise what
  /// the source returned. kWrongState: Begin did not succeed.
  Status Step(uint32_t mac_budget);

 private:
  Status FillInputs(const formats::SelfTest& test);
  Status CompareOutputs(const formats::SelfTest& test);

  engine::Interpreter interpreter_;
  const engine::PatchPlanner* patch_planner_;
  const formats::ModelRequirements* requirements_ = nullptr;
  uint8_t test_index_ = 0;
  bool is_running_ = false;
};

}  // namespace ota::agent
