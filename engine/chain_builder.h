// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/chain_planner.h"
#include "engine/plan_builder.h"

namespace ota::engine {

/// What a plan with chains needs besides a plain plan: the survey from which chains are chosen, and
/// their records.
class ChainBuilder final : public PlanExtension {
 public:
  /// For a survey, or for a plan with `plan`, which must outlive the builder.
  ChainBuilder() = default;
  explicit ChainBuilder(const ChainPlan& plan) : plan_(&plan) {}

  void Attach(PlanBuilder& builder) override { builder_ = &builder; }
  void Begin(uint32_t time) override;
  void NoteInput(uint32_t buffer) override { AddSurveyLink(RowLink::Kind::kWhole, buffer); }
  void NoteBarrier() override { AddSurveyLink(RowLink::Kind::kBarrier, 0); }
  void NoteWeights(uint32_t bytes) override { weight_bytes_ += bytes; }
  bool NoteReads(uint32_t bytes, uint32_t pass_rows) override;
  void Commit(PrepareContext& context, const void* params, uint32_t bytes) override;
  void Finish() override;

  /// For PatchRule::allow_rows: says that the operator can compute some rows of its output at a
  /// time, and which rows of this input it needs for them. To be said once for every input that is
  /// not constant. Not heard if a tensor has no rows.
  void AllowRows(PrepareContext& context, uint32_t input_index, uint32_t output_index,
                 const RowMap& map);
  /// The same of an input of which every row needs all.
  void AllowRowsFromWhole(PrepareContext& context, uint32_t input_index, uint32_t output_index);

  /// Of a survey: what it found, the memory that is left between, the bytes that a plan without
  /// chains would keep, and the most that an operator that may be in a chain commits.
  ModelSurvey survey() const;
  MutableByteSpan FreeMemory() const;
  uint32_t persistent_bytes() const;
  uint32_t params_bytes() const { return params_bytes_; }

 private:
  bool is_survey() const { return plan_ == nullptr; }
  RowLink* SurveyLinks() const {
    return reinterpret_cast<RowLink*>(builder_->request_.persistent.data());
  }
  void AddSurveyLink(RowLink::Kind kind, uint32_t input);
  void AddLink(const RowLink& link);
  void BeginChain();
  void CommitLinks(uint32_t bytes);
  ChainView ViewOfChain(uint32_t index) const;
  void FinishChain(uint32_t index);
  void ShareLines(const ChainView& view);
  void FillLineBuffers(const ChainView& view);
  uint32_t FindLineBuffer(const ChainView& view, uint32_t buffer) const;
  void MeasureChain(const ChainView& view);
  void CountPatch(const ChainView& view);
  void ExtendLives(const ChainView& view, const Chain& chain);

  const ChainPlan* plan_ = nullptr;
  PlanBuilder* builder_ = nullptr;
  const Chain* chain_ = nullptr;  ///< that the operator belongs to
  uint32_t chain_count_ = 0;      ///< begun so far
  uint32_t chain_offsets_[kChainsMax] = {};
  uint32_t link_count_ = 0;     ///< of the survey, or of the chain
  uint32_t operator_link_ = 0;  ///< the operator's first
  uint32_t params_bytes_ = 0;
  uint32_t weight_bytes_ = 0;  ///< of the operator
  uint32_t pass_bytes_ = 0;
  uint32_t pass_rows_ = 0;
};

}  // namespace ota::engine
