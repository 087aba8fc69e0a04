// SPDX-License-Identifier: Apache-2.0
#include "engine/chain.h"

#include <algorithm>
#include <cstring>

#include "engine/operators/patch_rules.h"

namespace ota::engine {

uint32_t RowLink::CountNeeded(uint32_t end) const {
  if (end == 0) return 0;
  const int32_t count = FirstNeeded(end - 1) + map.reach;
  return static_cast<uint32_t>(std::clamp<int32_t>(count, 0, input_rows));
}

ChainView::ChainView(uint8_t* params, uint32_t buffer_count)
    : slots_(reinterpret_cast<Slot*>(params)),
      header_(reinterpret_cast<Header*>(slots_ + buffer_count)),
      buffers_(reinterpret_cast<LineBuffer*>(header_ + 1)),
      links_(reinterpret_cast<RowLink*>(buffers_ + buffer_count)),
      buffer_count_(buffer_count) {}

uint32_t ChainView::SizeBytes(uint32_t buffer_count, uint32_t link_count, uint32_t params_bytes) {
  return static_cast<uint32_t>(sizeof(Header) + buffer_count * (sizeof(Slot) + sizeof(LineBuffer)) +
                               link_count * sizeof(RowLink)) +
         params_bytes;
}

void ChainView::Begin() const {
  for (uint32_t i = 0; i < buffer_count_; ++i) {
    LineBuffer& buffer = buffers_[i];
    buffer.begin = buffer.dropped = 0;
    buffer.end = buffer.next = buffer.is_outside != 0 ? buffer.rows : uint16_t{0};
  }
}

bool ChainView::Advance() const {
  const LineBuffer& output = buffers_[header_->output];
  if (output.next == output.rows) return false;
  FindNext(std::min<uint32_t>(uint32_t{output.next} + header_->patch_rows, output.rows));
  FindDropped();
  return true;
}

// From the last operator to the first: what each must have computed so that those after it can.
void ChainView::FindNext(uint32_t output_end) const {
  for (uint32_t i = 0; i < buffer_count_; ++i) buffers_[i].end = buffers_[i].next;
  buffers_[header_->output].next = static_cast<uint16_t>(output_end);
  for (uint32_t i = header_->link_count; i-- > 0;) {
    const RowLink& link = links_[i];
    const LineBuffer& output = buffers_[link.output];
    LineBuffer& input = buffers_[link.input];
    if (link.input == link.output || input.is_outside != 0 || output.next == output.end) continue;
    const uint32_t needed = std::min<uint32_t>(link.CountNeeded(output.next), input.rows);
    input.next = static_cast<uint16_t>(std::max<uint32_t>(input.next, needed));
  }
}

// A row is dropped when every operator that reads it has gone beyond.
void ChainView::FindDropped() const {
  for (uint32_t i = 0; i < buffer_count_; ++i) buffers_[i].dropped = buffers_[i].end;
  buffers_[header_->output].dropped = 0;
  for (uint32_t i = 0; i < header_->link_count; ++i) {
    const RowLink& link = links_[i];
    const LineBuffer& output = buffers_[link.output];
    if (link.input == link.output || output.end == output.rows) continue;
    const auto first = static_cast<uint32_t>(std::max<int32_t>(link.FirstNeeded(output.end), 0));
    LineBuffer& input = buffers_[link.input];
    input.dropped = static_cast<uint16_t>(std::min<uint32_t>(input.dropped, first));
  }
  for (uint32_t i = 0; i < buffer_count_; ++i) {
    LineBuffer& buffer = buffers_[i];
    const uint32_t begin = buffer.is_outside != 0 ? 0 : buffer.dropped;
    buffer.dropped = static_cast<uint16_t>(begin - buffer.begin);
    buffer.begin = static_cast<uint16_t>(begin);
  }
}

RowRange ChainView::OutputRows(uint32_t index) const {
  const LineBuffer& output = buffers_[links_[index].output];
  return {output.end, output.next, links_[index].output_rows};
}

RowRange ChainView::InputRows(uint32_t index) const {
  const RowLink& link = links_[index];
  const RowRange output = OutputRows(index);
  const auto first = static_cast<uint32_t>(std::max<int32_t>(link.FirstNeeded(output.begin), 0));
  const uint32_t end = link.CountNeeded(output.end);
  return {std::min(first, end), end, link.input_rows};
}

uint32_t ChainView::NextOperator(uint32_t index) const {
  const uint32_t operator_index = links_[index].operator_index;
  while (index < header_->link_count && links_[index].operator_index == operator_index) ++index;
  return index;
}

// Where the first row that link `index` speaks of lies, if `slot` is one of its two tensors.
Slot ChainView::FindSlot(Slot slot, uint32_t index) const {
  const RowLink& link = links_[index];
  const LineBuffer& output = buffers_[link.output];
  const LineBuffer& input = buffers_[link.input];
  if (slot == slots_[link.output]) {
    return slot + (OutputRows(index).begin - output.begin) * output.row_bytes;
  }
  if (slot != slots_[link.input]) return kNoSlot;
  return slot + (InputRows(index).begin - input.begin) * input.row_bytes;
}

const void* ChainView::SelectRows(const Operator& chosen, uint32_t index, const void* committed,
                                  uint32_t bytes, uint32_t slot_count) const {
  uint8_t* const target = params();
  std::memcpy(target, committed, bytes);
  const uint32_t end = NextOperator(index);
  for (uint32_t i = 0; i < slot_count; ++i) {
    Slot slot;
    std::memcpy(&slot, target + i * sizeof(slot), sizeof(slot));
    Slot found = kNoSlot;
    for (uint32_t link = index; link < end && found == kNoSlot && slot != kNoSlot; ++link) {
      found = FindSlot(slot, link);
    }
    if (found != kNoSlot) std::memcpy(target + i * sizeof(slot), &found, sizeof(found));
  }
  FindPatchRule(chosen.code)->select_rows(target, {OutputRows(index), InputRows(index)});
  return target;
}

}  // namespace ota::engine
