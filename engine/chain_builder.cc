// SPDX-License-Identifier: Apache-2.0
#include "engine/chain_builder.h"

#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "engine/interpreter.h"
#include "engine/operators/patch_rules.h"
#include "engine/prepare_context.h"

namespace ota::engine {

using formats::TensorInfo;
using Kind = RowLink::Kind;

namespace {

constexpr int32_t kRowsMax = 0x7FFF;

// The number of rows of a tensor; 0 if it is too small or too large to have any.
uint32_t CountRows(const TensorInfo& tensor) {
  for (uint32_t i = 0; i < tensor.rank; ++i) {
    const int32_t size = tensor.dimension(i);
    if (size != 1) return size > 1 && size <= kRowsMax ? static_cast<uint32_t>(size) : 0;
  }
  return 0;
}

}  // namespace

ModelSurvey ChainBuilder::survey() const {
  return {builder_->buffers_,
          {SurveyLinks(), link_count_},
          builder_->next_time_,
          builder_->input_count_};
}

MutableByteSpan ChainBuilder::FreeMemory() const {
  const PlanRequest& request = builder_->request_;
  uint8_t* const begin = request.is_one_memory()
                             ? request.persistent.data() + RoundUp(builder_->front_bytes_, 8)
                             : request.shared.data();
  uint8_t* const end = builder_->buffers_.begin();
  return {begin, begin < end ? static_cast<size_t>(end - begin) : 0};
}

uint32_t ChainBuilder::persistent_bytes() const {
  return RoundUp(RoundUp(builder_->records_end_, kTensorAlignment) + builder_->state_bytes_,
                 kArenaAlignment);
}

void ChainBuilder::AddSurveyLink(Kind kind, uint32_t input) {
  if (!is_survey()) return;
  if (builder_->AllocateFront(sizeof(RowLink)) == nullptr) return;
  RowLink& link = SurveyLinks()[link_count_++];
  link = RowLink();
  link = RowLink();
  link.kind = kind;
  link.operator_index = static_cast<uint16_t>(builder_->time_);
  link.input = static_cast<uint16_t>(input);
}

void ChainBuilder::AllowRowsFromWhole(PrepareContext& context, uint32_t input_index,
                                      uint32_t output_index) {
  const Result<TensorInfo> input = context.ReadInput(input_index);
  if (!input.ok()) return;
  const auto rows = static_cast<uint16_t>(CountRows(*input));
  AllowRows(context, input_index, output_index, {0, rows, 0});
}

void ChainBuilder::AllowRows(PrepareContext& context, uint32_t input_index, uint32_t output_index,
                             const RowMap& map) {
  const Result<TensorInfo> input = context.ReadInput(input_index);
  const Result<TensorInfo> output = context.ReadOutput(output_index);
  if (!input.ok() || !output.ok()) return;
  RowLink link;
  link.input_rows = static_cast<uint16_t>(CountRows(*input));
  link.output_rows = static_cast<uint16_t>(CountRows(*output));
  if (link.input_rows == 0 || link.output_rows == 0 || map.reach > kRowsMax) return;
  if (map.is_identity() && link.input_rows != link.output_rows) return;
  const uint32_t input_buffer = builder_->FindBuffer(input->index);
  const uint32_t output_buffer = builder_->FindBuffer(output->index);
  if (input_buffer == kNoSlot || output_buffer == kNoSlot) return;
  link.operator_index = static_cast<uint16_t>(builder_->time_);
  link.input = static_cast<uint16_t>(input_buffer);
  link.output = static_cast<uint16_t>(output_buffer);
  link.map = map;
  AddLink(link);
}

void ChainBuilder::AddLink(const RowLink& link) {
  if (!is_survey()) {
    if (link_count_ == chain_->link_count) return builder_->Fail(Status::kModelMalformed);
    ViewOfChain(chain_count_ - 1).link(link_count_++) = link;
    return;
  }
  for (uint32_t i = operator_link_; i < link_count_; ++i) {
    RowLink& whole = SurveyLinks()[i];
    if (whole.kind != Kind::kWhole || whole.input != link.input) continue;
    whole = link;
    return;
  }
}

void ChainBuilder::Commit(PrepareContext& context, const void* params, uint32_t bytes) {
  if (!IsOk(builder_->status()) || (!is_survey() && chain_ == nullptr)) return;
  const PatchRule* const rule = FindPatchRule(context.operator_code());
  if (rule != nullptr) rule->allow_rows(*this, context, params);
  CommitLinks(bytes);
}

// Weights and reads of the operator, known now, belong to its first link. What has none cannot be
// in a chain.
void ChainBuilder::CommitLinks(uint32_t bytes) {
  if (link_count_ == operator_link_ || builder_->is_in_call()) NoteBarrier();
  for (uint32_t i = operator_link_; i < link_count_; ++i) {
    RowLink& link = is_survey() ? SurveyLinks()[i] : ViewOfChain(chain_count_ - 1).link(i);
    if (link.kind != Kind::kRows) continue;
    link.pass_bytes = is_survey() ? std::max(weight_bytes_, pass_bytes_) : pass_bytes_;
    link.pass_rows = static_cast<uint16_t>(pass_rows_);
    params_bytes_ = std::max(params_bytes_, bytes);
    return;
  }
}

bool ChainBuilder::NoteReads(uint32_t bytes, uint32_t pass_rows) {
  pass_bytes_ += bytes;
  pass_rows_ = pass_rows;
  return chain_ != nullptr;
}

// Ends the chain that does not reach `time`, and begins the one that begins with it.
void ChainBuilder::Begin(uint32_t time) {
  if (!is_survey()) {
    if (chain_ != nullptr && time > chain_->last) {
      builder_->AddRecord(static_cast<uint32_t>(InternalOperator::kEndChain), nullptr, 0, 0);
      chain_ = nullptr;
    }
    const bool is_next = chain_ == nullptr && chain_count_ < plan_->list.count &&
                         time == plan_->list.chains[chain_count_].first;
    if (is_next) {
      chain_ = &plan_->list.chains[chain_count_];
      BeginChain();
    }
  }
  operator_link_ = link_count_;
  weight_bytes_ = pass_bytes_ = pass_rows_ = 0;
}

void ChainBuilder::BeginChain() {
  const uint32_t bytes =
      ChainView::SizeBytes(chain_->buffer_count, chain_->link_count, plan_->params_bytes);
  const uint32_t record_bytes = static_cast<uint32_t>(sizeof(RecordHeader)) + bytes;
  if (record_bytes / 4 > 0xFFFF || chain_->buffer_count > 0xFF)
    return builder_->Fail(Status::kModelTooLarge);
  chain_offsets_[chain_count_++] = builder_->records_end_;
  link_count_ = 0;
  uint8_t* const at = builder_->AllocateRecords(record_bytes);
  if (at == nullptr) return;
  std::memset(at, 0, record_bytes);
  const RecordHeader header{static_cast<uint16_t>(record_bytes / 4),
                            static_cast<uint8_t>(InternalOperator::kBeginChain),
                            static_cast<uint8_t>(chain_->buffer_count)};
  std::memcpy(at, &header, sizeof(header));
  const ChainView view(at + sizeof(header), chain_->buffer_count);
  view.header() = {chain_->link_count, 0, chain_->patch_rows, 0};
  for (uint32_t i = 0; i < chain_->buffer_count; ++i) view.slot(i) = kNoSlot;
}

ChainView ChainBuilder::ViewOfChain(uint32_t index) const {
  uint8_t* const at = builder_->request_.persistent.data() + chain_offsets_[index];
  RecordHeader header;
  std::memcpy(&header, at, sizeof(header));
  return {at + sizeof(header), header.slot_count};
}

void ChainBuilder::Finish() {
  Begin(builder_->next_time_);
  if (!IsOk(builder_->status())) return;
  builder_->summary_.chain_count = chain_count_;
  for (uint32_t i = 0; i < chain_count_; ++i) FinishChain(i);
}

void ChainBuilder::FinishChain(uint32_t index) {
  const Chain& chain = plan_->list.chains[index];
  const ChainView view = ViewOfChain(index);
  ShareLines(view);
  FillLineBuffers(view);
  MeasureChain(view);
  ExtendLives(view, chain);
  builder_->summary_.chained_operator_count += chain.last - chain.first + 1u;
}

// Outputs that are written where inputs lie have one line buffer with them.
void ChainBuilder::ShareLines(const ChainView& view) {
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
    if (!is_inside || readers != 1 || !CanShareLines(builder_->buffers_, link)) continue;
    builder_->buffers_[link.input].alias_of = link.output;
    builder_->buffers_[link.input].size_bytes = 0;
    for (uint32_t other = 0; other < count; ++other) {
      RowLink& at = view.link(other);
      if (at.input == link.input) at.input = link.output;
      if (at.output == link.input) at.output = link.output;
    }
  }
}

uint32_t ChainBuilder::FindLineBuffer(const ChainView& view, uint32_t buffer) const {
  uint32_t index = 0;
  while (index + 1 < view.buffer_count() && view.slot(index) != buffer &&
         view.slot(index) != kNoSlot) {
    ++index;
  }
  return index;
}

// From here on the links name line buffers.
void ChainBuilder::FillLineBuffers(const ChainView& view) {
  for (uint32_t i = 0; i < view.header().link_count; ++i) {
    RowLink& link = view.link(i);
    const uint32_t input = FindLineBuffer(view, link.input);
    if (view.slot(input) == kNoSlot) {
      view.slot(input) = link.input;
      const uint32_t row_bytes = builder_->buffers_[link.input].size_bytes / link.input_rows;
      view.buffer(input) = {row_bytes, link.input_rows, 0, 0, 0, 0, 1};
    }
    const uint32_t output = FindLineBuffer(view, link.output);
    view.slot(output) = link.output;
    const uint32_t row_bytes = builder_->buffers_[link.output].size_bytes / link.output_rows;
    view.buffer(output) = {row_bytes, link.output_rows, 0, 0, 0, 0, 0};
    link.input = static_cast<uint16_t>(input);
    link.output = static_cast<uint16_t>(output);
    view.header().output = link.output;
  }
}

// Runs through the patches once, to find how many rows each line buffer must hold.
void ChainBuilder::MeasureChain(const ChainView& view) {
  const uint16_t patch_rows = view.header().patch_rows;
  view.header().patch_rows = 0xFFFF;
  view.Begin();
  (void)view.Advance();  // to the end at once: the rows that are needed at all
  for (uint32_t i = 0; i < view.buffer_count(); ++i) {
    LineBuffer& buffer = view.buffer(i);
    if (buffer.is_outside == 0) buffer.rows = buffer.next;
    const bool is_line = view.slot(i) != kNoSlot && buffer.is_outside == 0;
    if (is_line && i != view.header().output) builder_->buffers_[view.slot(i)].size_bytes = 0;
  }
  view.header().patch_rows = patch_rows;
  view.Begin();
  while (view.Advance()) CountPatch(view);
}

void ChainBuilder::CountPatch(const ChainView& view) {
  ++builder_->summary_.patch_count;
  for (uint32_t i = 0; i < view.buffer_count(); ++i) {
    const LineBuffer& buffer = view.buffer(i);
    if (view.slot(i) == kNoSlot || buffer.is_outside != 0 || i == view.header().output) continue;
    uint32_t& size = builder_->buffers_[view.slot(i)].size_bytes;
    size = std::max(size, uint32_t{buffer.next} - buffer.begin);
  }
  for (uint32_t i = 0; i < view.header().link_count; i = view.NextOperator(i)) {
    const uint32_t rows = view.OutputRows(i).size();
    const RowLink& link = view.link(i);
    const uint32_t pass_rows = link.pass_rows == 0 ? 0xFFFF : link.pass_rows;
    builder_->summary_.read_bytes +=
        uint64_t{link.pass_bytes} * ((rows + pass_rows - 1) / pass_rows);
  }
}

// Line buffers live as long as their chain, and so does what it reads.
void ChainBuilder::ExtendLives(const ChainView& view, const Chain& chain) {
  for (uint32_t i = 0; i < builder_->buffers_.count(); ++i) {
    PlannedBuffer& buffer = builder_->buffers_[i];
    const bool is_read = buffer.last >= chain.first && buffer.last <= chain.last;
    if (buffer.tensor != kNoBuffer && is_read) buffer.last = chain.last;
  }
  for (uint32_t i = 0; i < view.buffer_count(); ++i) {
    if (view.slot(i) == kNoSlot || view.buffer(i).is_outside != 0) continue;
    PlannedBuffer& buffer = builder_->buffers_[view.slot(i)];
    if (i != view.header().output) buffer.size_bytes *= view.buffer(i).row_bytes;
    buffer.first = chain.first;
    buffer.last = std::max(buffer.last, chain.last);
    buffer.overlap_input = buffer.overlap_other = kNoBuffer;
  }
}

}  // namespace ota::engine
