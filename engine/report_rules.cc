// SPDX-License-Identifier: Apache-2.0
#include "engine/report_rules.h"

#include "engine/plan_builder.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

void ReportRules::Add(PlanBuilder& builder, PrepareContext& context) {
  for (uint32_t i = 0; i < context.output_count(); ++i) {
    formats::TensorInfo tensor;
    context.ReadOutput(i, tensor);
    AddOutput(builder, tensor, i);
  }
}

void ReportRules::AddOutput(PlanBuilder& builder, const formats::TensorInfo& tensor,
                            uint32_t output_index) {
  if (tensor.is_variable || builder.is_in_call()) return;
  const uint32_t index = builder.FindBuffer(tensor.index);
  if (index == kNoSlot || tensor.size_bytes == 0) return;
  if (builder.buffers_[index].state_slot != 0) return;
  const ReportOutputParams params{index, tensor.size_bytes,
                                  static_cast<uint16_t>(builder.operator_index_),
                                  static_cast<uint16_t>(output_index)};
  builder.AddRecord(static_cast<uint32_t>(InternalOperator::kReportOutput), &params, sizeof(params),
                    1);
}

namespace {

void Report(RunContext& context) {
  const auto& params = context.params<ReportOutputParams>();
  if (context.observer() == nullptr) return;
  context.observer()->OnOutput(params.operator_index, params.output_index,
                               ByteSpan(context.Data(params.slot), params.size_bytes));
}

}  // namespace

const ReportRules kReportRules = {ReportRules::Add, Report};

}  // namespace ota::engine
