// SPDX-License-Identifier: Apache-2.0
// DEPTHWISE_CONV_2D in int8 in little code: four channels that lie side by side at a time.
#include "engine/kernels/conv.h"
#include "engine/kernels/cortex_m/quad_terms.h"
#include "engine/kernels/cortex_m/side_by_side.h"

namespace ota::engine {
namespace {

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width;
}

/// Channels of a tile that are computed here; the rest goes to the reference kernel.
uint32_t CountTogether(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  constexpr uint32_t kTogether = dsp::kChannelsTogether;
  return dsp::IsSideBySide(shape) ? job.channel_count / kTogether * kTogether : 0;
}

}  // namespace

void BeginDepthwiseTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  dsp::BeginQuadTerms(job, TapCount(*job.shape), CountTogether(job), terms);
}

void DepthwiseRowsS8(const ConvRows<ConvS8>& job) {
  const uint32_t count = CountTogether(job);
  const dsp::AddTaps add_taps =
      job.shape->input_channels == 1 ? dsp::AddSharedTaps : dsp::AddOwnTaps;
  if (count != 0) dsp::ComputeSideBySide(job, count, add_taps);
  ConvRows<ConvS8> rest = job;
  rest.channel_begin += count;
  rest.channel_count -= count;
  rest.weights += count;
  rest.terms += count;
  if (rest.channel_count != 0) ReferenceDepthwiseRows(rest);
}

}  // namespace ota::engine
