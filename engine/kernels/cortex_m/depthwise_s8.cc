// SPDX-License-Identifier: Apache-2.0
// DEPTHWISE_CONV_2D in int8 for Cortex-M. A tile is four channels that lie side by side
// (side_by_side.h); 3x3 windows take another way (depthwise_lines.h). Of one input channel it is a
// CONV_2D, whose weights are brought into that order (quad_rows.h).
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/clamp_rows.h"
#include "engine/kernels/cortex_m/depthwise_lines.h"
#include "engine/kernels/cortex_m/quad_rows.h"
#include "engine/kernels/cortex_m/side_by_side.h"

namespace ota::engine {
namespace {

/// BeginDepthwiseTileS8 leaves it at the front of the scratch.
DepthwiseWay& WayOf(const ConvRows<ConvS8>& job) {
  return *reinterpret_cast<DepthwiseWay*>(job.scratch);
}

/// The weights by channel, each filled up to whole groups of four taps.
uint8_t* QuadWeights(const ConvRows<ConvS8>& job, const QuadLayout& layout) {
  return job.scratch + layout.scratch_bytes();
}

void BeginAsConvolution(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  const QuadLayout layout = DepthwiseQuadLayout(*job.shape);
  dsp::BeginQuads(job, layout, terms);
  const uint32_t channel_bytes = DepthwiseQuadChannelBytes(*job.shape);
  uint8_t* target = QuadWeights(job, layout);
  for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
    const uint8_t* source = job.weights + channel;
    for (uint32_t tap = 0; tap < channel_bytes; ++tap, source += job.weight_stride) {
      *target++ = tap < layout.tap_count ? *source : uint8_t{0};
    }
  }
}

void ComputeAsConvolution(const ConvRows<ConvS8>& job) {
  const QuadLayout layout = DepthwiseQuadLayout(*job.shape);
  dsp::ComputeQuadRows(job, layout, QuadWeights(job, layout),
                       DepthwiseQuadChannelBytes(*job.shape));
}

}  // namespace

void BeginDepthwiseTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  if (ChooseDepthwiseWay(*job.shape) == DepthwiseWay::kQuads) {
    return BeginAsConvolution(job, terms);
  }
  DepthwiseWay& way = WayOf(job);
  way = ChooseDepthwiseWay(*job.shape);
  if (job.channel_count != kDepthwiseChannels) way = DepthwiseWay::kReference;
  if (way == DepthwiseWay::kReference) return;
  if (way == DepthwiseWay::kLines && dsp::BeginLines(job, terms)) return;
  way = DepthwiseWay::kSideBySide;
  const uint32_t taps = uint32_t{job.shape->window_height} * job.shape->window_width;
  dsp::BeginQuadTerms(job, taps, kDepthwiseChannels, terms);
}

void DepthwiseRowsS8(const ConvRows<ConvS8>& job) {
  const bool is_convolution = ChooseDepthwiseWay(*job.shape) == DepthwiseWay::kQuads;
  switch (is_convolution ? DepthwiseWay::kQuads : WayOf(job)) {
    case DepthwiseWay::kReference:
      return ReferenceDepthwiseRows<ConvS8>(job);
    case DepthwiseWay::kQuads:
      ComputeAsConvolution(job);
      break;
    case DepthwiseWay::kSideBySide:
      return dsp::ComputeSideBySide(job, kDepthwiseChannels, dsp::AddOwnTaps);
    case DepthwiseWay::kLines:
      dsp::ComputeLines(job);
      break;
  }
  dsp::ClampRows(job);
}

}  // namespace ota::engine
