// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/kernels/conv.h"

// Of kernels that take weights as the model has them: a quad is a narrow tile.

namespace ota::engine {
namespace {

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
}

}  // namespace

bool BeginQuadTermS8(const ConvRows<ConvS8>&, ChannelTermS8&) { return true; }

void FillQuadS8(const ConvRows<ConvS8>& job, ChannelQuadS8&, uint32_t index, uint32_t first,
                uint32_t count, const uint8_t* weights) {
  std::copy_n(weights, count, job.scratch + index * TapCount(*job.shape) + first);
}

void QuadRowsS8(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad) {
  ConvRows<ConvS8> tile = job;
  tile.weights = job.scratch;
  tile.weight_stride = tile.channel_count = quad.count;
  tile.channel_begin = quad.channels[0];
  tile.terms = quad.terms;
  ConvRowsS8(tile);
}

}  // namespace ota::engine
