// SPDX-License-Identifier: Apache-2.0
#include "engine/model_planner.h"

#include <algorithm>
#include <cstring>

#include "engine/interpreter.h"
#include "engine/plan_builder.h"
#include "engine/prepare_context.h"

namespace ota::engine {

using formats::ModelReader;
using formats::OperatorInfo;
using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kPageBytesMax = 64 * 1024;
constexpr uint32_t kBaseAlignment = 8;
/// Times that a search for chains is begun again with less memory, since what the plan itself
/// needs, and gaps between buffers, are known only when it is made.
constexpr uint32_t kSearchesMax = 16;

bool NameEquals(ModelReader& model, const OperatorInfo& info, const char* name) {
  const size_t length = std::strlen(name);
  if (info.custom_name_bytes != length) return false;
  for (uint32_t i = 0; i < length; ++i) {
    const uint8_t character = model.reader().ReadU8(info.custom_name_offset + i);
    if (character != static_cast<uint8_t>(name[i])) return false;
  }
  return IsOk(model.reader().status());
}

Result<uint32_t> FindOperator(OperatorTable table, ModelReader& model, const OperatorInfo& info) {
  for (uint32_t i = 0; i < table.size() && i < kFirstInternalOperator; ++i) {
    if (table[i]->code != info.code) continue;
    if (table[i]->custom_name == nullptr) return i;
    if (NameEquals(model, info, table[i]->custom_name)) return i;
  }
  OTA_TRY(model.reader().status());
  return Status::kUnknownOperator;
}

Status VerifyInt8(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  const bool is_int8 = input.type == TensorType::kInt8 && output.type == TensorType::kInt8;
  return is_int8 ? Status::kOk : Status::kUnsupportedType;
}

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
      OTA_TRY(const TensorInfo& tensor, ReadTensor(model_.inputs(), i));
      builder_.AddModelInput(i, tensor);
    }
    for (uint32_t i = 0; i < summary.operator_count; ++i) {
      Status status = PrepareOperator(i);
      if (IsOk(status) && builder_.has_call()) status = PrepareCall();
      if (IsOk(status)) continue;
      failed_operator = static_cast<int32_t>(i);
      return status;
    }
    for (uint32_t i = 0; i < summary.output_count; ++i) {
      OTA_TRY(const TensorInfo& tensor, ReadTensor(model_.outputs(), i));
      builder_.AddModelOutput(summary.input_count + i, tensor);
    }
    return builder_.status();
  }

 private:
  Result<TensorInfo> ReadTensor(const formats::FlatVector& indices, uint32_t position) {
    const int32_t index = model_.reader().ReadElementI32(indices, position);
    return model_.ReadTensor(static_cast<uint32_t>(index));
  }

  Status PrepareOperator(uint32_t index) {
    OTA_TRY(const OperatorInfo& info, model_.ReadOperator(index));
    OTA_TRY(const uint32_t table_index, FindOperator(table_, model_, info));
    builder_.BeginOperator(index, table_index);
    PrepareContext context(model_, info, builder_);
    if (table_[table_index]->is_int8_only) OTA_TRY(VerifyInt8(context));
    OTA_TRY(table_[table_index]->prepare(context));
    OTA_TRY(model_.reader().status());
    for (uint32_t i = 0; i < info.outputs.count; ++i) {
      OTA_TRY(const TensorInfo& output, ReadTensor(info.outputs, i));
      builder_.AddReport(output, i);
    }
    return builder_.status();
  }

  // The operators of the subgraph that the last operator calls; VerifyModel let none of them call.
  Status PrepareCall() {
    OTA_TRY(model_.SelectSubgraph(builder_.called_subgraph()));
    builder_.BeginCall(model_.tensor_count());
    for (uint32_t i = 0; i < model_.operator_count(); ++i) {
      OTA_TRY(PrepareOperator(i));
    }
    builder_.EndCall();
    OTA_TRY(model_.SelectSubgraph(0));
    return builder_.status();
  }

  ModelReader model_;
  OperatorTable table_;
  PlanBuilder& builder_;
};

// Chains to plan with, and the most bytes that one of their operators commits.
struct ChainPlan {
  ChainList list;
  uint32_t params_bytes = 0;
};

class PlanSearch {
 public:
  PlanSearch(const PlanRequest& request, PlanLayout& layout, ModelSummary& summary,
             int32_t& failed_operator)
      : request_(request),
        layout_(layout),
        summary_(summary),
        failed_operator_(failed_operator),
        is_mapped_(request.source.Map().has_value()) {}

  Status Run() {
    const bool is_page_free = !is_mapped_ && request_.page_bytes == 0;
    uint32_t page = is_page_free ? kPageBytesMax : request_.page_bytes;
    while (true) {
      const Status status = Build(page, nullptr);
      if (IsOk(status)) {
        Keep(page, nullptr);
        break;  // smaller pages would only read more
      }
      if (status != Status::kArenaTooSmall) return status;
      if (request_.patch_planner != nullptr && !request_.is_observed) SearchChains(page);
      if (!is_page_free || page <= kPageBytesMin) break;
      page /= 2;
    }
    return BuildBest();
  }

 private:
  PlanBuilder::Options MakeOptions(uint32_t page) const {
    PlanBuilder::Options options;
    const auto mapped = request_.source.Map();
    const auto address = mapped.has_value() ? reinterpret_cast<uintptr_t>(mapped->data()) : 1;
    options.rounding = request_.rounding;
    options.is_mapped = is_mapped_;
    options.can_read_ahead = request_.source.can_read_ahead();
    options.is_base_aligned = address % kBaseAlignment == 0;
    options.is_observed = request_.is_observed;
    options.page_bytes = page;
    return options;
  }

  // Makes the plan. kArenaTooSmall also if it is beyond the limit.
  Status Build(uint32_t page, const ChainPlan* chains) {
    PlanBuilder::Options options = MakeOptions(page);
    if (chains != nullptr) {
      options.chains = &chains->list;
      options.params_bytes = chains->params_bytes;
      options.patch_planner = request_.patch_planner;
    }
    PlanBuilder builder(request_.persistent, request_.shared, options);
    summary_ = ModelSummary();
    PlanWalk walk(request_.source, request_.operators, builder);
    OTA_TRY(walk.Run(summary_, failed_operator_));
    OTA_TRY(builder.Finish(layout_, summary_));
    built_page_ = page;
    built_chains_ = chains != nullptr;
    if (chains == nullptr && NeededBytes() < smallest_bytes_) {
      smallest_bytes_ = NeededBytes();
      smallest_page_ = page;
    }
    const bool fits = NeededBytes() <= request_.limit_bytes &&
                      summary_.persistent_bytes <= request_.persistent.size();
    return fits ? Status::kOk : Status::kArenaTooSmall;
  }

  uint32_t NeededBytes() const {
    return request_.shared.empty() ? summary_.arena_bytes : summary_.shared_bytes;
  }

  void Keep(uint32_t page, const ChainPlan* chains) {
    if (summary_.read_bytes >= best_reads_) return;
    best_reads_ = summary_.read_bytes;
    best_page_ = page;
    best_has_chains_ = chains != nullptr;
    if (best_has_chains_) best_chains_ = *chains;
  }

  // A plan with chains that fits, if there is one. What the planner is given lies between what was
  // too much, since the plan then was too large, and what was too little for any.
  void SearchChains(uint32_t page) {
    uint32_t given = request_.limit_bytes;
    uint32_t too_much = given, too_little = 0, step = 0;
    for (uint32_t search = 0; search < kSearchesMax && too_much - too_little > 8; ++search) {
      ChainPlan chains;
      if (IsOk(FindChainsIn(page, given, chains))) {
        const Status status = Build(page, &chains);
        if (IsOk(status)) return Keep(page, &chains);
        const uint32_t excess = NeededBytes() - std::min(NeededBytes(), request_.limit_bytes);
        if (status != Status::kArenaTooSmall || excess == 0) return;
        too_much = given;
        step = std::max(excess, 2 * step);
      } else {
        if (search == 0) return;
        too_little = given;
      }
      const bool is_open = too_little == 0 && step < too_much;
      given = is_open ? too_much - step : too_little + (too_much - too_little) / 2;
    }
  }

  Status FindChainsIn(uint32_t page, uint32_t given, ChainPlan& chains) {
    PlanBuilder::Options options = MakeOptions(page);
    options.is_survey = true;
    PlanBuilder builder(request_.persistent, request_.shared, options);
    ModelSummary unused;
    OTA_TRY(PlanWalk(request_.source, request_.operators, builder).Run(unused, failed_operator_));
    const uint32_t kept = request_.shared.empty() ? builder.persistent_bytes() : 0;
    if (kept >= given) return Status::kArenaTooSmall;
    chains.params_bytes = builder.params_bytes();
    return request_.patch_planner->find_chains(builder.survey(), given - kept, builder.FreeMemory(),
                                               chains.list);
  }

  Status BuildBest() {
    if (best_reads_ == UINT64_MAX) {
      const Status status = Build(smallest_page_, nullptr);
      return IsOk(status) ? Status::kArenaTooSmall : status;
    }
    if (built_page_ == best_page_ && built_chains_ == best_has_chains_) return Status::kOk;
    return Build(best_page_, best_has_chains_ ? &best_chains_ : nullptr);
  }

  const PlanRequest& request_;
  PlanLayout& layout_;
  ModelSummary& summary_;
  int32_t& failed_operator_;
  const bool is_mapped_;
  uint32_t smallest_bytes_ = UINT32_MAX;  ///< of the plain plans
  uint32_t smallest_page_ = kPageBytesMin;
  uint32_t built_page_ = 0;
  bool built_chains_ = false;
  uint64_t best_reads_ = UINT64_MAX;
  uint32_t best_page_ = 0;
  bool best_has_chains_ = false;
  ChainPlan best_chains_;
};

}  // namespace

Status PlanModel(const PlanRequest& request, PlanLayout& layout, ModelSummary& summary,
                 int32_t& failed_operator) {
  return PlanSearch(request, layout, summary, failed_operator).Run();
}

}  // namespace ota::engine
