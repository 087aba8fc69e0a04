// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/model_file.h"

namespace ota::cli {

/// Outcome of comparing one model with its golden vectors.
struct GoldenOutcome {
  uint32_t case_count = 0;
  uint32_t arena_bytes = 0;
  uint32_t patch_count = 0;  ///< 0: the plan was plain
  std::string failure;       ///< empty: every output was as it should be

  bool has_passed() const { return failure.empty(); }
};

/// How the model is run. The results must not depend on it.
struct GoldenRun {
  SourceChoice source;
  uint32_t mac_budget = 0;   ///< 0: Invoke; otherwise Step by Step
  uint32_t arena_bytes = 0;  ///< 0: exactly as many as the plain plan needs
};

/// Runs a model on the inputs that its golden file defines (format "tflm-golden-1") and compares:
/// integers exactly, float within 1e-5. If a layers file is given, a failure names the first
/// operator that differs. Does not throw: what goes wrong is the failure.
GoldenOutcome CompareWithGolden(const std::string& model_path, const std::string& golden_path,
                                const std::string& layers_path, const GoldenRun& run);

}  // namespace ota::cli
