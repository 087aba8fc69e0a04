// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/prepare_context.h"
#include "engine/run_context.h"

// Weights of a source that is not mapped, page by page. If the source can read ahead there are two
// pages, of which one is used while the other is filled.

namespace ota::engine {

/// How weights are held: `channels` in each of so many pages. One page at least holds a channel.
struct WeightPagePlan {
  uint32_t page_count;
  uint32_t channels;
};

/// For `outputs` channels of so many bytes each, in the bytes that the caller chose.
WeightPagePlan PlanWeightPages(const PrepareContext& context, uint32_t channel_bytes,
                               uint32_t outputs);

/// Bytes from one page to the next.
constexpr uint32_t WeightPageStride(uint32_t page_bytes) {
  return (page_bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

struct WeightPagesLayout {
  uint32_t file_offset;
  uint32_t size_bytes;  ///< of all pages in the file
  uint32_t page_bytes;
  bool is_ahead;  ///< there are two pages
};

/// Keeps nothing: it can be made anew between any two calls.
class WeightPages {
 public:
  WeightPages(RunContext& context, const WeightPagesLayout& layout, uint8_t* memory)
      : context_(context), layout_(layout), memory_(memory) {}

  /// Brings a page into memory, and requests the next one; what the page before the last had is
  /// then lost. Pages come in their order, each once. kBusy: not yet there; otherwise what the
  /// source returned.
  Status Select(uint32_t index);

  /// Where a page lies once it has been selected.
  uint8_t* page(uint32_t index) const {
    const uint32_t turn = layout_.is_ahead ? index % 2 : 0;
    return memory_ + turn * WeightPageStride(layout_.page_bytes);
  }

 private:
  uint32_t PageBegin(uint32_t index) const { return index * layout_.page_bytes; }
  uint32_t PageSize(uint32_t index) const;
  Status Request(uint32_t index);

  RunContext& context_;
  WeightPagesLayout layout_;
  uint8_t* memory_;
};

}  // namespace ota::engine
