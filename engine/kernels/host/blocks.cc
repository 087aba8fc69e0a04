// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/host/tile_terms.h"
#include "engine/kernels/host/windows.h"

namespace ota::engine {

std::span<ChannelTermS8> BlockTermsS8() {
  static thread_local ChannelTermS8 terms[host::kBlockChannelsMax];
  return terms;
}

uint32_t ConvBlockChannelsS8(const WindowShape& shape) {
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  return std::max(ConvTileChannelsS8(shape), host::CountWindowChannels(taps) / 4 * 4);
}

uint32_t DepthwiseBlockChannelsS8(const WindowShape& shape) {
  return std::max(DepthwiseTileChannelsS8(shape), host::kBlockChannelsMax);
}

}  // namespace ota::engine
