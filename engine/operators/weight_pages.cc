// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/weight_pages.h"

#include <algorithm>

namespace ota::engine {

WeightPagePlan PlanWeightPages(const PrepareContext& context, uint32_t channel_bytes,
                               uint32_t outputs) {
  const uint32_t bytes = context.page_bytes();
  const uint32_t channels = std::clamp<uint32_t>(bytes / channel_bytes, 1, outputs);
  const uint32_t half = bytes / 2 / channel_bytes;
  const bool is_ahead = context.can_read_ahead() && channels < outputs && half > 0;
  return is_ahead ? WeightPagePlan{2, half} : WeightPagePlan{1, channels};
}

uint32_t WeightPages::PageSize(uint32_t index) const {
  return std::min(layout_.page_bytes, layout_.size_bytes - PageBegin(index));
}

Status WeightPages::Select(uint32_t index) {
  if (!layout_.is_ahead) {
    const uint8_t* at = page(index);
    return context_.FetchConstant(layout_.file_offset + PageBegin(index), PageSize(index), at);
  }
  if (!context_.has_request()) OTA_TRY(Request(index));
  OTA_TRY(context_.AwaitRequest());
  return PageBegin(index + 1) < layout_.size_bytes ? Request(index + 1) : Status::kOk;
}

Status WeightPages::Request(uint32_t index) {
  return context_.RequestConstant(layout_.file_offset + PageBegin(index), PageSize(index),
                                  page(index));
}

}  // namespace ota::engine
