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

namespace {

constexpr uint32_t kPageBytesMax = 64 * 1024;

// Index in the table, or kFirstInternalOperator.
uint32_t FindOperator(OperatorTable table, ModelReader& model, const OperatorInfo& info) {
  for (uint32_t i = 0; i < table.size() && i < kFirstInternalOperator; ++i) {
    if (table[i]->code != info.code) continue;
    const CustomName& name = table[i]->custom_name;
    if (name.has_name == nullptr || name.has_name(model, info, name.text)) return i;
  }
  return kFirstInternalOperator;
}

}  // namespace

// Walks the model once and leaves every operator's record in the builder's memory.
class PlanWalk {
 public:
  PlanWalk(const PlanRequest& request, PlanBuilder& builder)
      : model_(request.source), table_(request.operators), builder_(builder) {}

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
      ReadTensor(model_.inputs(), i, tensor);
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
      ReadTensor(model_.outputs(), i, tensor);
      builder_.AddModelOutput(summary.input_count + i, tensor);
    }
    OTA_TRY(model_.reader().status());
    return builder_.status();
  }

 private:
  friend Status WalkCalledSubgraph(PlanWalk& walk);

  void ReadTensor(const formats::FlatVector& indices, uint32_t position, TensorInfo& info) {
    const int32_t index = model_.reader().ReadElementI32(indices, position);
    model_.ReadTensor(static_cast<uint32_t>(index), info);
  }

  // What the reader refuses came first.
  Status PrepareOperator(uint32_t index) {
    const Status status = LetPrepare(index);
    return IsOk(model_.reader().status()) ? status : model_.reader().status();
  }

  Status LetPrepare(uint32_t index) {
    OperatorInfo info;
    model_.ReadOperator(index, info);
    const uint32_t table_index = FindOperator(table_, model_, info);
    if (table_index == kFirstInternalOperator) return Status::kUnknownOperator;
    builder_.BeginOperator(index, table_index);
    const Operator& chosen = *table_[table_index];
    PrepareContext context(model_, info, builder_, chosen.is_int8_only);
    OTA_TRY(chosen.prepare(context));
    const ReportRules* const reports = builder_.report_rules();
    if (reports != nullptr) reports->add(builder_, context);
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

uint32_t ModelPlanner::FirstPage() const {
  return is_page_free() ? kPageBytesMax : request_.options.page_bytes;
}

bool ModelPlanner::GoOnToSmallerPage(uint32_t& page_bytes) const {
  if (!is_page_free() || page_bytes <= kPageBytesMin) return false;
  page_bytes /= 2;
  return true;
}

// The largest page that fits is the best: smaller ones only read more.
Status ModelPlanner::Run() {
  const PatchPlanner* const patches = request_.options.patch_planner;
  if (patches != nullptr && request_.report_rules == nullptr) return patches->Run(*this);
  uint32_t page = FirstPage();
  Status status = Build(page, nullptr);
  while (status == Status::kArenaTooSmall) {
    if (!GoOnToSmallerPage(page)) return BuildSmallest();
    status = Build(page, nullptr);
  }
  return status;
}

Status ModelPlanner::Walk(PlanBuilder& builder, ModelSummary& summary) {
  return PlanWalk(request_, builder).Run(summary, outcome_.failed_operator);
}

Status ModelPlanner::Build(uint32_t page_bytes, PlanExtension* extension) {
  outcome_.summary = ModelSummary();
  PlanBuilder builder(request_, page_bytes, PlanPurpose::kRun, outcome_.summary, extension);
  OTA_TRY(Walk(builder, outcome_.summary));
  OTA_TRY(builder.Finish(outcome_.layout));
  const uint32_t needed_bytes = NeededBytes();
  if (extension == nullptr && needed_bytes < smallest_bytes_) {
    smallest_bytes_ = needed_bytes;
    smallest_page_ = page_bytes;
  }
  const bool fits = needed_bytes <= request_.limit_bytes &&
                    summary().persistent_bytes <= request_.persistent.size();
  return fits ? Status::kOk : Status::kArenaTooSmall;
}

}  // namespace ota::engine
