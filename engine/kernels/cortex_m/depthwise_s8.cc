// SPDX-License-Identifier: Apache-2.0
// DEPTHWISE_CONV_2D in int8 for Cortex-M. A tile is four channels that lie side by side
// (quad_rows.h). Of one input channel it is a CONV_2D, whose weights are brought into that order
// (pixel_quads.h).
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/pixel_quads.h"
#include "engine/kernels/cortex_m/quad_rows.h"
#include "engine/kernels/cortex_m/quad_run.h"
#include "engine/kernels/cortex_m/quad_terms.h"

namespace ota::engine {
namespace {

constexpr uint32_t kStackTaps = 80;

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width;
}

DepthwiseWay WayOf(const ConvRows<ConvS8>& job) {
  const DepthwiseWay way = ChooseDepthwiseWay(*job.shape);
  const bool fits = way == DepthwiseWay::kQuads || job.channel_count == kDepthwiseChannels;
  return fits ? way : DepthwiseWay::kReference;
}

/// In front of the scratch: what is before the weights can be read.
constexpr uint32_t kHeaderBytes = 8;

/// The weights by channel, then the widened taps and the sums.
uint8_t* SortedWeights(const ConvRows<ConvS8>& job) { return job.scratch + kHeaderBytes; }

uint32_t* ValuesOf(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  const uint32_t bytes = DepthwiseQuadChannelBytes(shape) * shape.output_channels;
  return reinterpret_cast<uint32_t*>(SortedWeights(job) + bytes);
}

void SortWeights(const ConvRows<ConvS8>& job) {
  uint8_t* target = SortedWeights(job);
  for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
    const uint8_t* source = job.weights + channel;
    for (uint32_t tap = TapCount(*job.shape); tap != 0; --tap, source += job.weight_stride) {
      *target++ = *source;
    }
  }
}

/// Of windows whose taps the scratch has no room for.
[[gnu::noinline]] void ComputeOnStack(const ConvRows<ConvS8>& job) {
  uint32_t values[kStackTaps * dsp::kQuad];
  dsp::ComputePixels(job, SortedWeights(job), values, kStackTaps);
}

void ComputeAsConvolution(const ConvRows<ConvS8>& job) {
  constexpr uint32_t kTapBytes = dsp::kQuad * dsp::kQuadTapBytes;
  const uint32_t taps = DepthwiseQuadChannelBytes(*job.shape);
  const uint32_t room = DepthwiseValueBytes(*job.shape) / kTapBytes / 4 * 4;
  if constexpr (dsp::kQuadTapBytes == sizeof(uint32_t)) {
    if (room < taps && taps <= kStackTaps) return ComputeOnStack(job);
  }
  dsp::ComputePixels(job, SortedWeights(job), ValuesOf(job), room);
}

}  // namespace

void BeginDepthwiseTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  const DepthwiseWay way = WayOf(job);
  if (way == DepthwiseWay::kReference) return;
  const bool is_convolution = way == DepthwiseWay::kQuads;
  dsp::BeginQuadTerms(job, TapCount(*job.shape),
                      is_convolution ? dsp::QuadChoice::kConstant : dsp::QuadChoice::kFast,
                      job.channel_count, terms);
  if (is_convolution) SortWeights(job);
}

void DepthwiseRowsS8(const ConvRows<ConvS8>& job) {
  switch (WayOf(job)) {
    case DepthwiseWay::kReference:
      return ReferenceDepthwiseRows<ConvS8>(job);
    case DepthwiseWay::kQuads:
      return ComputeAsConvolution(job);
    default:
      return dsp::ComputeSideBySide(job);
  }
}

}  // namespace ota::engine
