// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "engine/interpreter.h"
#include "engine/plan_builder.h"

// What PlanBuilder does about chains: the survey from which they are chosen, and their records.

namespace ota::engine {

using formats::TensorInfo;
using Kind = RowLink::Kind;

ModelSurvey PlanBuilder::survey() const {
  return {buffers_, {SurveyLinks(), link_count_}, next_time_, input_count_};
}

MutableByteSpan PlanBuilder::FreeMemory() const {
  uint8_t* const begin = temporary_.data() + (is_one_memory_ ? RoundUp(FrontBytes(), 8) : 0);
  uint8_t* const end = buffers_.begin();
  return {begin, begin < end ? static_cast<size_t>(end - begin) : 0};
}

uint32_t PlanBuilder::persistent_bytes() const {
  return RoundUp(RoundUp(records_end_, kTensorAlignment) + state_bytes_, kArenaAlignment);
}

void PlanBuilder::AddSurveyLink(Kind kind, uint32_t input) {
  if (!options_.is_survey || !IsOk(status_)) return;
  const uint8_t* const at = persistent_.data() + FrontBytes();
  const uint8_t* const end =
      is_one_memory_ ? buffers_.begin() : persistent_.data() + persistent_.size();
  if (at > end || static_cast<size_t>(end - at) < sizeof(RowLink)) {
    return Fail(Status::kArenaTooSmall);
  }
  RowLink& link = SurveyLinks()[link_count_++];
  link = RowLink();
  link.kind = kind;
  link.operator_index = static_cast<uint16_t>(time_);
  link.input = static_cast<uint16_t>(input);
}

void PlanBuilder::AllowRows(const TensorInfo& input, const TensorInfo& output, const RowMap& map,
                            uint32_t input_rows, uint32_t output_rows) {
  if (!IsOk(status_) || !is_for_chains()) return;
  const uint32_t input_index = FindBuffer(input.index);
  const uint32_t output_index = FindBuffer(output.index);
  if (input_index == kNoBuffer || output_index == kNoBuffer) return;
  RowLink link;
  link.operator_index = static_cast<uint16_t>(time_);
  link.input = static_cast<uint16_t>(input_index);
  link.output = static_cast<uint16_t>(output_index);
  link.input_rows = static_cast<uint16_t>(input_rows);
  link.output_rows = static_cast<uint16_t>(output_rows);
  link.map = map;
  if (!options_.is_survey) return AddChainLink(link);
  for (uint32_t i = operator_link_; i < link_count_; ++i) {
    RowLink& whole = SurveyLinks()[i];
    if (whole.kind != Kind::kWhole || whole.input != input_index) continue;
    whole = link;
    return;
  }
}

// Weights and reads of the operator, known now, belong to its first link. What has none cannot be
// in a chain.
void PlanBuilder::CommitLinks(uint32_t bytes) {
  if (!IsOk(status_) || !is_for_chains()) return;
  if (link_count_ == operator_link_ || is_in_call()) AddSurveyLink(Kind::kBarrier, 0);
  for (uint32_t i = operator_link_; i < link_count_; ++i) {
    RowLink& link = options_.is_survey ? SurveyLinks()[i] : ViewOfChain(chain_count_ - 1).link(i);
    if (link.kind != Kind::kRows) continue;
    link.pass_bytes = options_.is_survey ? std::max(weight_bytes_, pass_bytes_) : pass_bytes_;
    link.pass_rows = static_cast<uint16_t>(pass_rows_);
    params_bytes_ = std::max(params_bytes_, bytes);
    return;
  }
}

void PlanBuilder::AddWeights(uint32_t bytes) {
  summary_.weight_bytes += bytes;
  weight_bytes_ += bytes;
}

void PlanBuilder::AddReads(uint32_t bytes, uint32_t passes, uint32_t pass_rows) {
  summary_.single_pass_bytes += is_in_call() ? 0 : bytes;
  pass_bytes_ += bytes;
  pass_rows_ = pass_rows;
  if (chain_ != nullptr) return;
  (is_in_call() ? summary_.once_read_bytes : summary_.read_bytes) += uint64_t{bytes} * passes;
}

// Ends the chain that does not reach `time`, and begins the one that begins with it.
void PlanBuilder::SelectChain(uint32_t time) {
  if (options_.chains == nullptr) return;
  if (chain_ != nullptr && time > chain_->last) {
    AddRecord(static_cast<uint32_t>(InternalOperator::kEndChain), nullptr, 0, 0);
    chain_ = nullptr;
  }
  if (chain_ != nullptr || chain_count_ == options_.chains->count) return;
  const Chain& next = options_.chains->chains[chain_count_];
  if (time != next.first) return;
  chain_ = &next;
  BeginChain();
}

void PlanBuilder::BeginChain() {
  const uint32_t bytes =
      ChainView::SizeBytes(chain_->buffer_count, chain_->link_count, options_.params_bytes);
  const uint32_t record_bytes = static_cast<uint32_t>(sizeof(RecordHeader)) + bytes;
  if (record_bytes / 4 > 0xFFFF || chain_->buffer_count > 0xFF) return Fail(Status::kModelTooLarge);
  chain_offsets_[chain_count_++] = records_end_;
  link_count_ = 0;
  uint8_t* const at = AllocateRecords(record_bytes);
  if (at == nullptr) return;
  const RecordHeader header{static_cast<uint16_t>(record_bytes / 4),
                            static_cast<uint8_t>(InternalOperator::kBeginChain),
                            static_cast<uint8_t>(chain_->buffer_count)};
  std::memcpy(at, &header, sizeof(header));
  const ChainView view(at + sizeof(header), chain_->buffer_count);
  view.header() = {chain_->link_count, 0, chain_->patch_rows, 0};
  for (uint32_t i = 0; i < chain_->buffer_count; ++i) view.slot(i) = kNoSlot;
}

void PlanBuilder::AddChainLink(const RowLink& link) {
  if (link_count_ == chain_->link_count) return Fail(Status::kModelMalformed);
  ViewOfChain(chain_count_ - 1).link(link_count_++) = link;
}

ChainView PlanBuilder::ViewOfChain(uint32_t index) const {
  uint8_t* const at = persistent_.data() + chain_offsets_[index];
  RecordHeader header;
  std::memcpy(&header, at, sizeof(header));
  return {at + sizeof(header), header.slot_count};
}

void PlanBuilder::FinishChains() {
  for (uint32_t i = 0; i < chain_count_; ++i) FinishChain(i);
}

void PlanBuilder::FinishChain(uint32_t index) {
  const Chain& chain = options_.chains->chains[index];
  const ChainView view = ViewOfChain(index);
  ShareLines(view);
  FillLineBuffers(view);
  MeasureChain(view);
  ExtendLives(view, chain);
  summary_.chained_operator_count += chain.last - chain.first + 1u;
}

// Outputs that are written where inputs lie have one line buffer with them.
void PlanBuilder::ShareLines(const ChainView& view) {
  const uint32_t count = view.header().link_count;
  for (uint32_t i = 0; i < count; ++i) {
    const RowLink link = view.link(i);
    uint32_t readers = 0;
    bool is_inside = false;
    for (uint32_t other = 0; other < count; ++other) {
      const RowLink& at = view.link(other);
      if (at.input == link.input && at.output != link.input) ++readers;
      if (at.output == link.input) is_inside = true;
    }
    if (!is_inside || readers != 1 || !CanShareLines(buffers_, link)) continue;
    buffers_[link.input].alias_of = link.output;
    for (uint32_t other = 0; other < count; ++other) {
      RowLink& at = view.link(other);
      if (at.input == link.input) at.input = link.output;
      if (at.output == link.input) at.output = link.output;
    }
  }
}

uint32_t PlanBuilder::FindLineBuffer(const ChainView& view, uint32_t buffer) const {
  uint32_t index = 0;
  while (index + 1 < view.buffer_count() && view.slot(index) != buffer &&
         view.slot(index) != kNoSlot) {
    ++index;
  }
  return index;
}

// From here on the links name line buffers.
void PlanBuilder::FillLineBuffers(const ChainView& view) {
  for (uint32_t i = 0; i < view.header().link_count; ++i) {
    RowLink& link = view.link(i);
    const uint32_t input = FindLineBuffer(view, link.input);
    if (view.slot(input) == kNoSlot) {
      view.slot(input) = link.input;
      const uint32_t row_bytes = buffers_[link.input].size_bytes / link.input_rows;
      view.buffer(input) = {row_bytes, link.input_rows, 0, 0, 0, 0, 1};
    }
    const uint32_t output = FindLineBuffer(view, link.output);
    view.slot(output) = link.output;
    const uint32_t row_bytes = buffers_[link.output].size_bytes / link.output_rows;
    view.buffer(output) = {row_bytes, link.output_rows, 0, 0, 0, 0, 0};
    link.input = static_cast<uint16_t>(input);
    link.output = static_cast<uint16_t>(output);
    view.header().output = link.output;
  }
}

// Runs through the patches once, to find how many rows each line buffer must hold.
void PlanBuilder::MeasureChain(const ChainView& view) {
  const uint16_t patch_rows = view.header().patch_rows;
  view.header().patch_rows = 0xFFFF;
  view.Begin();
  (void)view.Advance();  // to the end at once: the rows that are needed at all
  for (uint32_t i = 0; i < view.buffer_count(); ++i) {
    LineBuffer& buffer = view.buffer(i);
    if (buffer.is_outside == 0) buffer.rows = buffer.next;
    const bool is_line = view.slot(i) != kNoSlot && buffer.is_outside == 0;
    if (is_line && i != view.header().output) buffers_[view.slot(i)].size_bytes = 0;
  }
  view.header().patch_rows = patch_rows;
  view.Begin();
  while (view.Advance()) CountPatch(view);
}

void PlanBuilder::CountPatch(const ChainView& view) {
  ++summary_.patch_count;
  for (uint32_t i = 0; i < view.buffer_count(); ++i) {
    const LineBuffer& buffer = view.buffer(i);
    if (view.slot(i) == kNoSlot || buffer.is_outside != 0 || i == view.header().output) continue;
    uint32_t& size = buffers_[view.slot(i)].size_bytes;
    size = std::max(size, uint32_t{buffer.next} - buffer.begin);
  }
  for (uint32_t i = 0; i < view.header().link_count; i = view.NextOperator(i)) {
    const uint32_t rows = view.OutputRows(i).size();
    const RowLink& link = view.link(i);
    const uint32_t pass_rows = link.pass_rows == 0 ? 0xFFFF : link.pass_rows;
    summary_.read_bytes += uint64_t{link.pass_bytes} * ((rows + pass_rows - 1) / pass_rows);
  }
}

// Line buffers live as long as their chain, and so does what it reads.
void PlanBuilder::ExtendLives(const ChainView& view, const Chain& chain) {
  for (uint32_t i = 0; i < buffers_.count(); ++i) {
    PlannedBuffer& buffer = buffers_[i];
    const bool is_read = buffer.last >= chain.first && buffer.last <= chain.last;
    if (buffer.tensor != kNoBuffer && is_read) buffer.last = chain.last;
  }
  for (uint32_t i = 0; i < view.buffer_count(); ++i) {
    if (view.slot(i) == kNoSlot || view.buffer(i).is_outside != 0) continue;
    PlannedBuffer& buffer = buffers_[view.slot(i)];
    if (i != view.header().output) buffer.size_bytes *= view.buffer(i).row_bytes;
    buffer.first = chain.first;
    buffer.last = std::max(buffer.last, chain.last);
    buffer.overlap_input = buffer.overlap_other = kNoBuffer;
  }
}

const PatchPlanner kPatchPlanner = {FindChains,
                                    [](PlanBuilder& builder) { builder.FinishChains(); }};

}  // namespace ota::engine
