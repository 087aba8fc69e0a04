// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/clamp_rows.h"

#include <algorithm>

namespace ota::engine::dsp {

void ClampRows(const ConvRows<ConvS8>& job, uint32_t first_channel, uint32_t count) {
  if (job.range.lowest <= INT8_MIN && job.range.highest >= INT8_MAX) return;
  const WindowShape& shape = *job.shape;
  const uint32_t pixels = job.row_count * shape.output_width;
  int8_t* pixel =
      job.output + first_channel + job.row_begin * shape.output_width * shape.output_channels;
  for (uint32_t i = 0; i < pixels; ++i, pixel += shape.output_channels) {
    for (uint32_t channel = 0; channel < count; ++channel) {
      pixel[channel] = static_cast<int8_t>(
          std::clamp<int32_t>(pixel[channel], job.range.lowest, job.range.highest));
    }
  }
}

}  // namespace ota::engine::dsp
