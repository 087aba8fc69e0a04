// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"

// Of kernels that have no memory but the scratch: a block is a tile.

namespace ota::engine {

std::span<ChannelTermS8> BlockTermsS8() { return {}; }
uint32_t ConvBlockChannelsS8(const WindowShape& shape) { return ConvTileChannelsS8(shape); }
uint32_t DepthwiseBlockChannelsS8(const WindowShape& shape) {
  return DepthwiseTileChannelsS8(shape);
}

}  // namespace ota::engine
