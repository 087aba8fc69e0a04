// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/kernels/shape.h"

// How int8 convolutions are cut into tiles, and the scratch that a tile has: the same on every
// target, whatever its kernels make of it, so that a model needs the same arena everywhere. Here
// and there it is more than kernels take: what a published model needs stays as it was.

namespace ota::engine {

/// Output channels of a tile, at most. A convolution of more channels is computed tile by tile,
/// each over the whole image; of fewer, row by row.
uint32_t ConvTileChannelsS8(const WindowShape& shape);
uint32_t DepthwiseTileChannelsS8(const WindowShape& shape);

/// Bytes of scratch of a tile.
uint32_t ConvScratchBytesS8(const WindowShape& shape);
uint32_t DepthwiseScratchBytesS8(const WindowShape& shape);

/// How a fast kernel goes about a CONV_2D.
enum class ConvWay : uint32_t {
  kReference,  ///< too odd a shape for it
  kQuads       ///< four pixels at a time
};
ConvWay ChooseConvWay(const WindowShape& shape);

/// Whether a CONV_2D whose weights are streamed is computed four channels at a time (conv.h): its
/// windows are a few rows, each of which lies together in the input, and its weights are not many.
bool IsForChannelQuads(const WindowShape& shape);
/// The widened weights, and a row of a window if some reach out of the image.
uint32_t ChannelQuadScratchBytes(const WindowShape& shape);

/// How a fast kernel goes about a DEPTHWISE_CONV_2D.
enum class DepthwiseWay : uint32_t {
  kReference,   ///< too odd a shape for it
  kSideBySide,  ///< four channels at a time
  kLines,       ///< the same of 3x3, with room for lines of the input
  kQuads        ///< of one input channel: as a CONV_2D
};

constexpr uint32_t kDepthwiseChannels = 4;

DepthwiseWay ChooseDepthwiseWay(const WindowShape& shape);

/// Of kQuads: bytes of a channel's weights, brought into the order of a CONV_2D's, and of the
/// widened windows.
constexpr uint32_t DepthwiseQuadChannelBytes(const WindowShape& shape) {
  return (uint32_t{shape.window_height} * shape.window_width + 3) / 4 * 4;
}
uint32_t DepthwiseValueBytes(const WindowShape& shape);

}  // namespace ota::engine
