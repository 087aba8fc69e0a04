// SPDX-License-Identifier: Apache-2.0
#include "engine/model_planner.h"

#include <algorithm>

#include "engine/interpreter.h"
#include "engine/prepare_context.h"
#include "engine/report_rules.h"

namespace ota::engine {

using formats::ModelReader;
using formats::OperatorInfo;
using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kPageBytesMax = 64 * 1024;
constexpr uint32_t kBaseAlignment = 8;

Result<uint32_t> FindOperator(OperatorTable table, ModelReader& model, const OperatorInfo& info) {
  for (uint32_t i = 0; i < table.size() && i < kFirstInternalOperator; ++i) {
    if (table[i]->code != info.code) continue;
    const CustomName& name = table[i]->custom_name;
    if (name.has_name == nullptr || name.has_name(model, info, name.text)) return i;
  }
  OTA_TRY(model.reader().status());
  return Status::kUnknownOperator;
}

Status VerifyInt8(PrepareContext& context) {
  TensorInfo input, output;
  OTA_TRY(context.ReadInput(0, input));
  OTA_TRY(context.ReadOutput(0, output));
  const bool is_int8 = input.type == TensorType::kInt8 && output.type == TensorType::kInt8;
  return is_int8 ? Status::kOk : Status::kUnsupportedType;
}

}  // namespace

// Walks the model once and leaves every operator's record in the builder's memory.
class PlanWalk {
 public:
  PlanWalk(ByteSource& source, OperatorTable table, PlanBuilder& builder)
      : model_(source), table_(table), builder_(builder) {}

  Status Run(ModelSummary& summary, int32_t& failed_operator) {
    failed_operator = -1;
    OTA_TRY(model_.Open());
    summary.operator_count = model_.operator_count();
    summary.tensor_count = model_.tensor_count();
    summary.input_count = model_.inputs().count;
    summary.output_count = model_.outputs().count;
    builder_.BeginTensors(summary.input_count + summary.output_count, summary.tensor_count);
    for (uint32_t i = 0; i < summary.input_count; ++i) {
      TensorInfo tensor;
      OTA_TRY(ReadTensor(model_.inputs(), i, tensor));
      builder_.AddModelInput(i, tensor);
    }
    for (uint32_t i = 0; i < summary.operator_count; ++i) {
      Status status = PrepareOperator(i);
      if (IsOk(status) && builder_.walk_call() != nullptr) status = builder_.walk_call()(*this);
      if (IsOk(status)) continue;
      failed_operator = static_cast<int32_t>(i);
      return status;
    }
    for (uint32_t i = 0; i < summary.output_count; ++i) {
      TensorInfo tensor;
      OTA_TRY(ReadTensor(model_.outputs(), i, tensor));
      builder_.AddModelOutput(summary.input_count + i, tensor);
    }
    return builder_.status();
  }

 private:
  friend Status WalkCalledSubgraph(PlanWalk& walk);

  Status ReadTensor(const formats::FlatVector& indices, uint32_t position, TensorInfo& info) {
    const int32_t index = model_.reader().ReadElementI32(indices, position);
    model_.ReadTensor(static_cast<uint32_t>(index), info);
    return model_.reader().status();
  }

  Status PrepareOperator(uint32_t index) {
    OperatorInfo info;
    model_.ReadOperator(index, info);
    OTA_TRY(model_.reader().status());
    OTA_TRY(const uint32_t table_index, FindOperator(table_, model_, info));
    builder_.BeginOperator(index, table_index);
    PrepareContext context(model_, info, builder_);
    if (table_[table_index]->is_int8_only) OTA_TRY(VerifyInt8(context));
    OTA_TRY(table_[table_index]->prepare(context));
    OTA_TRY(model_.reader().status());
    const ReportRules* const reports = builder_.report_rules();
    for (uint32_t i = 0; reports != nullptr && i < info.outputs.count; ++i) {
      TensorInfo output;
      OTA_TRY(ReadTensor(info.outputs, i, output));
      reports->add(builder_, output, i);
    }
    return builder_.status();
  }

  ModelReader model_;
  OperatorTable table_;
  PlanBuilder& builder_;
};

// VerifyModel let none of the operators of the called subgraph call.
Status WalkCalledSubgraph(PlanWalk& walk) {
  OTA_TRY(walk.model_.SelectSubgraph(walk.builder_.called_subgraph()));
  walk.builder_.BeginCall(walk.model_.tensor_count());
  for (uint32_t i = 0; i < walk.model_.operator_count(); ++i) {
    OTA_TRY(walk.PrepareOperator(i));
  }
  walk.builder_.EndCall();
  OTA_TRY(walk.model_.SelectSubgraph(0));
  return walk.builder_.status();
}

PlanBuilder::Options ModelPlanner::MakeOptions(uint32_t page_bytes) const {
  PlanBuilder::Options options;
  options.rounding = request_.rounding;
  options.is_mapped = mapped_.has_value();
  options.can_read_ahead = request_.source.can_read_ahead();
  options.is_base_aligned =
      options.is_mapped && reinterpret_cast<uintptr_t>(mapped_->data()) % kBaseAlignment == 0;
  options.report_rules = request_.report_rules;
  options.page_bytes = page_bytes;
  return options;
}

Status ModelPlanner::Run() {
  const bool is_page_free = !mapped_.has_value() && request_.page_bytes == 0;
  uint32_t page = is_page_free ? kPageBytesMax : request_.page_bytes;
  smallest_page_ = kPageBytesMin;
  while (true) {
    const Status status = Build(page, nullptr);
    if (IsOk(status)) {
      Keep(page, nullptr);
      break;  // smaller pages would only read more
    }
    if (status != Status::kArenaTooSmall) return status;
    if (request_.patch_planner != nullptr && request_.report_rules == nullptr) {
      request_.patch_planner->Search(*this, page);
    }
    if (!is_page_free || page <= kPageBytesMin) break;
    page /= 2;
  }
  return BuildBest();
}

Status ModelPlanner::Walk(PlanBuilder& builder, ModelSummary& summary) {
  return PlanWalk(request_.source, request_.operators, builder).Run(summary, failed_operator_);
}

Status ModelPlanner::Build(uint32_t page_bytes, PlanExtension* extension) {
  summary_ = ModelSummary();
  PlanBuilder builder(request_.persistent, request_.shared, MakeOptions(page_bytes), summary_,
                      extension);
  OTA_TRY(Walk(builder, summary_));
  OTA_TRY(builder.Finish(layout_));
  built_page_ = page_bytes;
  built_chains_ = extension != nullptr;
  if (extension == nullptr && NeededBytes() < smallest_bytes_) {
    smallest_bytes_ = NeededBytes();
    smallest_page_ = page_bytes;
  }
  const bool fits = NeededBytes() <= request_.limit_bytes &&
                    summary_.persistent_bytes <= request_.persistent.size();
  return fits ? Status::kOk : Status::kArenaTooSmall;
}

void ModelPlanner::Keep(uint32_t page_bytes, const ChainPlan* chains) {
  if (summary_.read_bytes >= best_reads_) return;
  best_reads_ = summary_.read_bytes;
  best_page_ = page_bytes;
  best_has_chains_ = chains != nullptr;
  if (best_has_chains_) best_chains_ = *chains;
}

Status ModelPlanner::BuildBest() {
  if (best_reads_ == UINT64_MAX) {
    const Status status = Build(smallest_page_, nullptr);
    return IsOk(status) ? Status::kArenaTooSmall : status;
  }
  if (built_page_ == best_page_ && built_chains_ == best_has_chains_) return Status::kOk;
  if (!best_has_chains_) return Build(best_page_, nullptr);
  return request_.patch_planner->Build(*this, best_page_, best_chains_);
}

}  // namespace ota::engine
