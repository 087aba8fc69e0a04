// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "formats/tflite/model_reader.h"

namespace ota::engine {

class PlanBuilder;
class PrepareContext;
class RunContext;

/// How reports to an observer get into the plan and out of it: pointers, so that a program without
/// an observer does not link it. There is one implementation, kReportRules.
struct ReportRules {
  /// Reports the outputs of the operator that was prepared.
  void (*add)(PlanBuilder& builder, PrepareContext& context);
  void (*run)(RunContext& context);

  static void Add(PlanBuilder& builder, PrepareContext& context);
  static void AddOutput(PlanBuilder& builder, const formats::TensorInfo& tensor,
                        uint32_t output_index);
};

extern const ReportRules kReportRules;

}  // namespace ota::engine
