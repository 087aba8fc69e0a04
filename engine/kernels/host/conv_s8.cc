// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/kernels/conv.h"
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

}  // namespace

void BeginConvTileS8(const ConvRows<ConvS8>&, ChannelTermS8*) {}

void ConvRowsS8(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  const bool is_grouped = shape.window_channels != shape.input_channels;
  if (is_grouped || !host::FitsWindows(taps, job.channel_count)) return ReferenceConvRows(job);
  alignas(64) int16_t widened[host::kWeightsMax];
  WidenWeights(job.weights, taps, job.channel_count, widened);
  host::ComputeWindows(job, widened);
}

void FullyConnectedS8(const ConvRows<ConvS8>& job, ChannelTermS8*) { ConvRowsS8(job); }

}  // namespace ota::engine
