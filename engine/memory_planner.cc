// SPDX-License-Identifier: Apache-2.0
#include "engine/memory_planner.h"

#include <algorithm>

#include "base/prng.h"
#include "base/units.h"
#include "engine/plan.h"

namespace ota::engine {

namespace {

constexpr uint32_t kAttemptsMax = 150;  ///< of a search

uint32_t PlacedBytes(const PlannedBuffer& buffer) {
  return RoundUp(buffer.size_bytes, kTensorAlignment);
}

bool IsPlaced(const PlannedBuffer& buffer) {
  return buffer.alias_of == kNoBuffer && buffer.state_slot == 0 && buffer.size_bytes != 0;
}

bool AreAliveTogether(const PlannedBuffer& a, const PlannedBuffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

// Bytes that an output saves if it overlaps an input as far as it may.
uint32_t ComputeSaving(const BufferTable& buffers, const PlannedBuffer& output,
                       uint32_t input_index) {
  if (input_index == kNoBuffer || buffers[input_index].last != output.first) return 0;
  const uint32_t output_bytes = PlacedBytes(output);
  const uint32_t input_bytes = PlacedBytes(buffers[input_index]);
  const uint32_t distance = RoundUp(output.overlap_distance, kTensorAlignment);
  const uint32_t together = std::max(output_bytes, distance + input_bytes);
  const uint32_t apart = output_bytes + input_bytes;
  return apart - std::min(together, apart);
}

class Planner {
 public:
  explicit Planner(const BufferTable& buffers) : buffers_(buffers) {}

  uint32_t Run() {
    for (uint32_t i = 0; i < buffers_.count(); ++i) {
      if (IsPlaced(buffers_[i])) buffers_[count_++].order = static_cast<uint16_t>(i);
    }
    const uint32_t floor = ComputeFloor();
    const uint32_t by_time = Search(Way::kChains, floor);
    if (by_time <= floor) return by_time;
    const uint32_t by_size = Search(Way::kLargestFirst, floor);
    return by_size <= by_time ? by_size : Search(Way::kChains, floor);
  }

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
    uint32_t best = Place();
    Prng prng(1);
    for (uint32_t attempt = 0; attempt < kAttemptsMax && best > floor && count_ > 1; ++attempt) {
      const uint32_t a = prng.NextBelow(count_);
      const uint32_t b = prng.NextBelow(count_);
      Swap(a, b);
      const uint32_t bytes = Place();
      if (bytes <= best) {
        best = bytes;
      } else {
        Swap(a, b);
      }
    }
    return Place();
  }

  bool ComesBefore(const PlannedBuffer& a, const PlannedBuffer& b) const {
    if (way_ == Way::kLargestFirst) return a.size_bytes > b.size_bytes;
    const bool is_a_kept = a.first != a.last, is_b_kept = b.first != b.last;
    if (is_a_kept != is_b_kept) return is_a_kept;
    return a.first != b.first ? a.first > b.first : a.size_bytes > b.size_bytes;
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

  uint32_t Place() const {
    uint32_t needed = 0;
    for (uint32_t rank = 0; rank < count_; ++rank) {
      PlannedBuffer& buffer = AtRank(rank);
      buffer.offset = FindOffset(rank);
      needed = std::max(needed, buffer.offset + PlacedBytes(buffer));
    }
    return needed;
  }

  // Lowest offset that clears every buffer placed before; in a chain none below the output.
  uint32_t FindOffset(uint32_t rank) const {
    uint32_t offset = way_ == Way::kChains ? FindOffsetInChain(rank) : 0;
    for (uint32_t other = 0; other < rank;) {
      const uint32_t cleared = ClearOf(rank, other, offset);
      other = cleared == offset ? other + 1 : 0;
      offset = cleared;
    }
    return offset;
  }

  uint32_t FindOffsetInChain(uint32_t rank) const {
    const uint32_t index = buffers_[rank].order;
    uint32_t offset = 0;
    for (uint32_t other = 0; other < rank; ++other) {
      const PlannedBuffer& placed = AtRank(other);
      if (!MayOverlap(buffers_[index], index, placed)) continue;
      const uint32_t distance = RoundUp(placed.overlap_distance, kTensorAlignment);
      offset = std::max(offset, placed.offset + distance);
    }
    return offset;
  }

  // `offset` itself, if the buffer of `rank` may lie there in spite of that of `other`; otherwise
  // the next offset above at which it may.
  uint32_t ClearOf(uint32_t rank, uint32_t other, uint32_t offset) const {
    const uint32_t index = buffers_[rank].order;
    const uint32_t placed_index = buffers_[other].order;
    const PlannedBuffer& buffer = buffers_[index];
    const PlannedBuffer& placed = buffers_[placed_index];
    if (!AreAliveTogether(buffer, placed)) return offset;
    const uint32_t end = offset + PlacedBytes(buffer);
    uint32_t placed_end = placed.offset + PlacedBytes(placed);
    if (end <= placed.offset || offset >= placed_end) return offset;
    if (MayOverlap(placed, placed_index, buffer)) {
      if (offset + buffer.overlap_distance <= placed.offset) return offset;
    }
    if (MayOverlap(buffer, index, placed)) {
      const uint32_t distance = RoundUp(placed.overlap_distance, kTensorAlignment);
      if (offset >= placed.offset + distance) return offset;
      placed_end = std::min(placed_end, placed.offset + distance);
    }
    return placed_end;
  }

  const BufferTable& buffers_;
  uint32_t count_ = 0;
  Way way_ = Way::kLargestFirst;
};

}  // namespace

uint32_t ComputeAliveBytes(const BufferTable& buffers, uint32_t time) {
  uint32_t alive = 0;
  uint32_t saved = 0;
  for (uint32_t i = 0; i < buffers.count(); ++i) {
    const PlannedBuffer& buffer = buffers[i];
    if (!IsPlaced(buffer) || buffer.first > time || buffer.last < time) continue;
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
  buffer = PlannedBuffer();
  return buffer;
}

uint32_t PlanMemory(const BufferTable& buffers) { return Planner(buffers).Run(); }

}  // namespace ota::engine
