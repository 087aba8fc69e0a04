// SPDX-License-Identifier: Apache-2.0
#include "engine/patch_planner.h"

#include <algorithm>
#include <cstring>

#include "engine/chain_builder.h"
#include "engine/chain_run.h"
#include "engine/model_planner.h"

namespace ota::engine {

namespace {

/// Times that a search for chains is begun again with less memory, since what the plan itself
/// needs, and gaps between buffers, are known only when it is made.
constexpr uint32_t kSearchesMax = 16;

Status FindChainsIn(ModelPlanner& planner, uint32_t page_bytes, uint32_t given, ChainPlan& chains) {
  const PlanRequest& request = planner.request();
  ModelSummary unused;
  ChainBuilder survey;
  PlanBuilder builder(request, page_bytes, PlanPurpose::kSurvey, unused, &survey);
  OTA_TRY(planner.Walk(builder, unused));
  const uint32_t kept = request.is_one_memory() ? survey.persistent_bytes() : 0;
  if (kept >= given) return Status::kArenaTooSmall;
  chains.params_bytes = survey.params_bytes();
  return FindChains(survey.survey(), given - kept, survey.FreeMemory(), chains.list);
}

Status BuildChains(ModelPlanner& planner, uint32_t page_bytes, const ChainPlan& chains) {
  ChainBuilder extension(chains);
  return planner.Build(page_bytes, &extension);
}

// The best plan so far, and the one that was built last.
class BestPlan {
 public:
  explicit BestPlan(ModelPlanner& planner) : planner_(planner) {}

  // Keeps the plan that was built, with these chains or none, if it is the best one; whether it is.
  bool Keep(uint32_t page_bytes, const ChainPlan* chains) {
    if (planner_.summary().read_bytes >= reads_) return false;
    reads_ = planner_.summary().read_bytes;
    page_bytes_ = page_bytes;
    has_chains_ = chains != nullptr;
    if (has_chains_) chains_ = *chains;
    return true;
  }

  Status Build() {
    if (reads_ == UINT64_MAX) return planner_.BuildSmallest();
    return has_chains_ ? BuildChains(planner_, page_bytes_, chains_)
                       : planner_.Build(page_bytes_, nullptr);
  }

 private:
  ModelPlanner& planner_;
  uint64_t reads_ = UINT64_MAX;
  uint32_t page_bytes_ = 0;
  bool has_chains_ = false;
  ChainPlan chains_;
};

// Looks for chains with which a plan of this page fits. What the planner is given lies between what
// was too much, since the plan then was too large, and what was too little for any. Whether the
// plan that was built last is the best.
bool Search(ModelPlanner& planner, uint32_t page_bytes, BestPlan& best) {
  const uint32_t limit = planner.request().limit_bytes;
  uint32_t given = limit;
  uint32_t too_much = given, too_little = 0, step = 0;
  for (uint32_t search = 0; search < kSearchesMax && too_much - too_little > 8; ++search) {
    ChainPlan chains;
    if (IsOk(FindChainsIn(planner, page_bytes, given, chains))) {
      const Status status = BuildChains(planner, page_bytes, chains);
      if (IsOk(status)) return best.Keep(page_bytes, &chains);
      const uint32_t excess = planner.NeededBytes() - std::min(planner.NeededBytes(), limit);
      if (status != Status::kArenaTooSmall || excess == 0) return false;
      too_much = given;
      step = std::max(excess, 2 * step);
    } else {
      if (search == 0) return false;
      too_little = given;
    }
    const bool is_open = too_little == 0 && step < too_much;
    given = is_open ? too_much - step : too_little + (too_much - too_little) / 2;
  }
  return false;
}

class ChainPatchPlanner final : public PatchPlanner {
 public:
  Status Run(ModelPlanner& planner) const override {
    BestPlan best(planner);
    uint32_t page = planner.FirstPage();
    Status status = planner.Build(page, nullptr);
    while (status == Status::kArenaTooSmall) {
      const bool is_best = Search(planner, page, best);
      if (!planner.GoOnToSmallerPage(page)) return is_best ? Status::kOk : best.Build();
      status = planner.Build(page, nullptr);
    }
    OTA_TRY(status);
    return best.Keep(page, nullptr) ? Status::kOk : best.Build();
  }

  const void* SelectParams(Interpreter& interpreter, const RecordHeader& header) const override {
    return ChainRun(interpreter).SelectParams(header);
  }
  void GoOn(Interpreter& interpreter, const RecordHeader& header) const override {
    ChainRun(interpreter).GoOn(header);
  }
};

constexpr ChainPatchPlanner kPlanner;

}  // namespace

const PatchPlanner& kPatchPlanner = kPlanner;

const void* ChainRun::SelectParams(const RecordHeader& header) const {
  const uint8_t* const params =
      interpreter_.persistent_ + interpreter_.record_offset_ + sizeof(header);
  if (!interpreter_.is_in_chain_ || header.operator_index >= kFirstInternalOperator) return params;
  const ChainView chain = ChainAt(interpreter_.chain_offset_);
  if (chain.OutputRows(interpreter_.chain_link_).size() == 0) return nullptr;
  if (interpreter_.unit_ != 0) return chain.params();
  const uint32_t bytes = header.word_count * 4u - static_cast<uint32_t>(sizeof(header));
  return chain.SelectRows(*interpreter_.operators_[header.operator_index], interpreter_.chain_link_,
                          params, bytes, header.slot_count);
}

void ChainRun::GoOn(const RecordHeader& header) {
  const uint32_t done_offset = interpreter_.record_offset_;
  uint32_t& chain_offset = interpreter_.chain_offset_;
  interpreter_.record_offset_ = interpreter_.next_record_offset_;
  if (header.operator_index == static_cast<uint8_t>(InternalOperator::kBeginChain)) {
    chain_offset = done_offset;
    ChainAt(chain_offset).Begin();
    BeginPatch(interpreter_.record_offset_);
  } else if (header.operator_index == static_cast<uint8_t>(InternalOperator::kEndChain)) {
    RecordHeader begin;
    std::memcpy(&begin, interpreter_.persistent_ + chain_offset, sizeof(begin));
    BeginPatch(chain_offset + begin.word_count * 4u);
  } else if (interpreter_.is_in_chain_ && header.operator_index < kFirstInternalOperator) {
    uint32_t& link = interpreter_.chain_link_;
    link = ChainAt(chain_offset).NextOperator(link);
  }
}

ChainView ChainRun::ChainAt(uint32_t offset) const {
  RecordHeader header;
  std::memcpy(&header, interpreter_.persistent_ + offset, sizeof(header));
  return {interpreter_.persistent_ + offset + sizeof(header), header.slot_count};
}

void ChainRun::BeginPatch(uint32_t record_offset) {
  const ChainView chain = ChainAt(interpreter_.chain_offset_);
  interpreter_.is_in_chain_ = chain.Advance();
  if (!interpreter_.is_in_chain_) return;
  interpreter_.record_offset_ = record_offset;
  interpreter_.chain_link_ = 0;
  for (uint32_t i = 0; i < chain.buffer_count(); ++i) {
    const LineBuffer& buffer = chain.buffer(i);
    if (chain.slot(i) == kNoSlot || buffer.dropped == 0) continue;
    uint8_t* const rows = interpreter_.Address(chain.slot(i));
    const uint32_t kept = uint32_t{buffer.end} - buffer.begin;
    std::memmove(rows, rows + buffer.dropped * buffer.row_bytes, kept * buffer.row_bytes);
  }
}

}  // namespace ota::engine
