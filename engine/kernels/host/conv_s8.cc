// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/kernels/dense.h"
#include "engine/kernels/host/vectors.h"
#include "engine/kernels/host/windows.h"

namespace ota::engine {

namespace {

OTA_VECTOR_CLONES void WidenWeights(const uint8_t* weights, uint32_t taps, uint32_t channels,
                                    int16_t* widened) {
  const uint32_t filled = host::FilledTaps(taps);
  for (uint32_t channel = 0; channel < channels; ++channel, weights += taps, widened += filled) {
    for (uint32_t i = 0; i < taps; ++i) widened[i] = static_cast<int8_t>(weights[i]);
    std::fill(widened + taps, widened + filled, int16_t{0});
  }
}

void ComputeBlock(const ConvRows<ConvS8>& job, uint32_t taps) {
  alignas(64) int16_t widened[host::kWeightsMax];
  WidenWeights(job.weights, taps, job.channel_count, widened);
  host::ComputeWindows(job, widened);
}

}  // namespace

void BeginConvTileS8(const ConvRows<ConvS8>&, ChannelTermS8*) {}

void ConvRowsS8(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  const bool is_grouped = shape.window_channels != shape.input_channels;
  const uint32_t block = host::CountWindowChannels(taps);
  if (is_grouped || block == 0) return ReferenceConvRows(job);
  if (job.channel_count <= block) return ComputeBlock(job, taps);
  ConvRows<ConvS8> part = job;
  part.row_count =
      1;  // the output may overlap the input, but no row of it those that the row needs
  for (part.row_begin = job.row_begin; part.row_begin < job.row_begin + job.row_count;
       ++part.row_begin) {
    for (uint32_t first = 0; first < job.channel_count; first += block) {
      part.channel_begin = job.channel_begin + first;
      part.channel_count = std::min(block, job.channel_count - first);
      part.terms = job.terms + first;
      part.weights = job.weights + first * taps;
      ComputeBlock(part, taps);
    }
  }
}

// As a 1x1 convolution of one row, some channels at a time.
void FullyConnectedS8(const DenseRows<ConvS8>& job) {
  constexpr uint32_t kChannels = 32;
  ChannelTermS8 terms[kChannels];
  WindowShape shape{1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0};
  shape.input_width = shape.output_width = static_cast<uint16_t>(job.pixel_count);
  shape.input_channels = shape.window_channels = static_cast<uint16_t>(job.depth);
  shape.output_channels = static_cast<uint16_t>(job.output_step);
  ConvRows<ConvS8> rows{};
  rows.shape = &shape;
  rows.range = job.range;
  rows.rounding = job.rounding;
  rows.input = job.input;
  rows.output = job.output;
  rows.terms = terms;
  rows.row_count = 1;
  for (uint32_t first = 0; first < job.channel_count; first += kChannels) {
    rows.channel_begin = first;
    rows.channel_count = std::min(kChannels, job.channel_count - first);
    rows.weights = job.weights + first * job.depth;
    for (uint32_t i = 0; i < rows.channel_count; ++i) {
      terms[i] = job.TermOf(first + i);
    }
    ConvRowsS8(rows);
  }
}

}  // namespace ota::engine
