// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "formats/tflite/model_reader.h"

namespace ota::engine {

class PlanBuilder;
class RunContext;

/// How reports to an observer get into the plan and out of it: pointers, so that a program without
/// an observer does not link it. There is one implementation, kReportRules.
struct ReportRules {
  /// Reports an output of the operator that was prepared.
  void (*add)(PlanBuilder& builder, const formats::TensorInfo& tensor, uint32_t output_index);
  void (*run)(RunContext& context);

  static void Add(PlanBuilder& builder, const formats::TensorInfo& tensor, uint32_t output_index);
};

extern const ReportRules kReportRules;

}  // namespace ota::engine
