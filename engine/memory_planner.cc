// SPDX-License-Identifier: Apache-2.0
#include "engine/memory_planner.h"

#include <algorithm>

#include "base/prng.h"
#include "base/units.h"
#include "engine/plan.h"

namespace ota::engine {

namespace {

/// Of a search: attempts, and pairs of buffers in all of them.
constexpr uint32_t kAttemptsMax = 150;
constexpr uint32_t kPairsMax = 4'000'000;
/// A search that ends so near to what cannot be beaten is the only one.
constexpr uint32_t kGoodPart = 50;

uint32_t PlacedBytes(const PlannedBuffer& buffer) {
  return RoundUp(buffer.size_bytes, kTensorAlignment);
}

// Bytes that an output saves if it overlaps an input as far as it may.
uint32_t ComputeSaving(const BufferTable& buffers, const PlannedBuffer& output,
                       uint32_t input_index) {
  if (input_index == kNoBuffer || buffers[input_index].last != output.first) return 0;
  const uint32_t bytes = PlacedBytes(output);
  return std::min(PlacedBytes(buffers[input_index]),
                  bytes - std::min(bytes, output.overlap_distance));
}

class Planner {
 public:
  explicit Planner(const BufferTable& buffers) : buffers_(buffers) {}

  uint32_t Run() {
    for (uint32_t i = 0; i < buffers_.count(); ++i) {
      if (buffers_[i].size_bytes != 0) buffers_[count_++].order = static_cast<uint16_t>(i);
    }
    const uint32_t floor = ComputeFloor();
    const uint32_t by_time = Search(Way::kChains, floor);
    if (by_time <= floor + floor / kGoodPart) return by_time;
    const uint32_t by_size = Search(Way::kLargestFirst, floor);
    return by_size <= by_time ? by_size : Search(Way::kChains, floor);
  }

  uint32_t steps() const { return steps_; }

 private:
  PlannedBuffer& AtRank(uint32_t rank) const { return buffers_[buffers_[rank].order]; }

  void Swap(uint32_t a, uint32_t b) { std::swap(buffers_[a].order, buffers_[b].order); }

  // Where a search begins. Chains: the last output first, and what may overlap it right above; what
  // only one operator uses goes into the gaps.
  enum class Way { kChains, kLargestFirst };

  // Swaps ranks as long as that makes nothing larger; the same in every run.
  uint32_t Search(Way way, uint32_t floor) {
    way_ = way;
    Order();
    uint32_t best = Place(UINT32_MAX);
    Prng prng(1);
    const uint32_t attempts = std::min(kAttemptsMax, kPairsMax / (count_ * count_ + 1));
    for (uint32_t attempt = 0; attempt < attempts && best > floor && count_ > 1; ++attempt) {
      const uint32_t a = prng.NextBelow(count_);
      const uint32_t b = prng.NextBelow(count_);
      Swap(a, b);
      const uint32_t bytes = Place(best);
      if (bytes <= best) {
        best = bytes;
      } else {
        Swap(a, b);
      }
    }
    return Place(UINT32_MAX);
  }

  // Of two buffers the one with the larger key comes before, then the larger one.
  uint32_t OrderKey(const PlannedBuffer& buffer) const {
    if (way_ == Way::kLargestFirst) return 0;
    return (buffer.first != buffer.last ? 0x10000u : 0) + buffer.first;
  }

  bool ComesBefore(const PlannedBuffer& a, const PlannedBuffer& b) const {
    const uint32_t a_key = OrderKey(a), b_key = OrderKey(b);
    return a_key != b_key ? a_key > b_key : a.size_bytes > b.size_bytes;
  }

  // `order` of record i holds the index of the buffer that is placed i-th.
  void Order() {
    for (uint32_t i = 1; i < count_; ++i) {
      for (uint32_t j = i; j > 0 && ComesBefore(AtRank(j), AtRank(j - 1)); --j) Swap(j, j - 1);
    }
  }

  // Buffer that may share memory with its output `output`, if its life ends there.
  bool MayOverlap(const PlannedBuffer& input, uint32_t input_index,
                  const PlannedBuffer& output) const {
    const bool is_named =
        output.overlap_input == input_index || output.overlap_other == input_index;
    return is_named && input.last == output.first;
  }

  // Bytes alive at the busiest time.
  uint32_t ComputeFloor() const {
    uint32_t floor = 0;
    for (uint32_t rank = 0; rank < count_; ++rank) {
      floor = std::max(floor, ComputeAliveBytes(buffers_, AtRank(rank).first));
    }
    return floor;
  }

  // Bytes needed; no further than to where that is more than `limit`.
  uint32_t Place(uint32_t limit) {
    uint32_t needed = 0;
    for (uint32_t rank = 0; rank < count_ && needed <= limit; ++rank) {
      PlannedBuffer& buffer = AtRank(rank);
      buffer.offset = FindOffset(rank);
      needed = std::max(needed, buffer.offset + PlacedBytes(buffer));
    }
    return needed;
  }

  // Lowest offset that clears every buffer placed before.
  uint32_t FindOffset(uint32_t rank) {
    const uint32_t index = buffers_[rank].order;
    uint32_t offset = 0;
    uint32_t other = 0;
    for (uint32_t left = rank; left != 0; --left, ++steps_) {  // since it was last moved
      const uint32_t cleared = ClearOf(index, buffers_[other].order, offset);
      if (cleared != offset) left = rank;
      offset = cleared;
      if (++other == rank) other = 0;
    }
    return offset;
  }

  // `offset` itself, if a buffer may lie there in spite of one that is placed; otherwise the next
  // offset above at which it may. Larger, the larger `offset` is. In a chain never below an output
  // that may overlap the buffer.
  uint32_t ClearOf(uint32_t index, uint32_t placed_index, uint32_t offset) const {
    const PlannedBuffer& buffer = buffers_[index];
    const PlannedBuffer& placed = buffers_[placed_index];
    if (placed.first > buffer.last || buffer.first > placed.last) return offset;
    uint32_t placed_end = placed.offset + PlacedBytes(placed);
    const uint32_t above_output = placed.offset + placed.overlap_distance;
    const bool is_output = MayOverlap(buffer, index, placed);
    if (is_output && way_ == Way::kChains && offset < above_output) return above_output;
    if (offset + PlacedBytes(buffer) <= placed.offset || offset >= placed_end) return offset;
    if (MayOverlap(placed, placed_index, buffer) &&
        offset + buffer.overlap_distance <= placed.offset) {
      return offset;
    }
    if (is_output) placed_end = std::min(placed_end, above_output);
    return std::max(placed_end, offset);
  }

  const BufferTable& buffers_;
  uint32_t count_ = 0;
  Way way_ = Way::kLargestFirst;
  uint32_t steps_ = 0;  ///< pairs of buffers that were compared
};

}  // namespace

uint32_t ComputeAliveBytes(const BufferTable& buffers, uint32_t time) {
  uint32_t alive = 0;
  uint32_t saved = 0;
  for (uint32_t i = 0; i < buffers.count(); ++i) {
    const PlannedBuffer& buffer = buffers[i];
    if (buffer.first > time || buffer.last < time) continue;
    alive += PlacedBytes(buffer);
    if (buffer.first == time) {
      saved += std::max(ComputeSaving(buffers, buffer, buffer.overlap_input),
                        ComputeSaving(buffers, buffer, buffer.overlap_other));
    }
  }
  return alive - std::min(saved, alive);
}

PlannedBuffer& BufferTable::Add() {
  ++count_;
  PlannedBuffer& buffer = (*this)[count_ - 1];
  buffer.offset = buffer.size_bytes = buffer.overlap_distance = 0;
  buffer.first = buffer.last = 0;
  buffer.overlap_input = buffer.overlap_other = buffer.tensor = buffer.alias_of = kNoBuffer;
  buffer.state_slot = 0;
  return buffer;
}

uint32_t PlanMemory(const BufferTable& buffers, uint32_t* step_count) {
  Planner planner(buffers);
  const uint32_t bytes = planner.Run();
  if (step_count != nullptr) *step_count = planner.steps();
  return bytes;
}

}  // namespace ota::engine
