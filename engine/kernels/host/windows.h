// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"
#include "engine/kernels/host/tile_terms.h"

// Convolutions as dot products of widened windows and widened weights.

namespace ota::engine::host {

/// Taps of a window, and weights of a tile, filled up, that the buffers hold.
constexpr uint32_t kTapsMax = 8192;
constexpr uint32_t kWeightsMax = 131072;

/// Taps, filled up with zeros to whole vectors.
constexpr uint32_t FilledTaps(uint32_t taps) { return (taps + 15) / 16 * 16; }

/// Channels whose weights the buffers hold at once; 0: not even those of one.
constexpr uint32_t CountWindowChannels(uint32_t taps) {
  if (taps > kTapsMax) return 0;
  const uint32_t channels = kWeightsMax / FilledTaps(taps);
  return channels < kBlockChannelsMax ? channels : kBlockChannelsMax;
}

/// Computes the rows of `job`. Windows have all channels of the input at each tap. `weights`: per
/// output channel of the tile its taps, filled up.
void ComputeWindows(const ConvRows<ConvS8>& job, const int16_t* weights);

}  // namespace ota::engine::host
