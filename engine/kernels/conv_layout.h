// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/kernels/shape.h"

// How int8 convolutions are cut into tiles, and the scratch that a tile has: the same on every
// target, whatever its kernels make of it, so that a model needs the same arena everywhere.

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
  kInPlace,    ///< long rows of a window: read where they lie
  kGather      ///< short ones: windows are copied, some pixels at a time
};

/// Windows gathered at a time.
constexpr uint32_t kGatheredPixels = 8;
/// Bytes of widened weights for four taps of a pair of channels.
constexpr uint32_t kTapGroupBytes = 16;

/// The plan of a CONV_2D tile. Weights and windows are handled in groups of four taps, the last one
/// filled up, output channels in pairs.
struct ConvLayoutS8 {
  ConvWay way;
  uint32_t group_count;  ///< groups that lie together: of a window's row, or gathered of all rows
  uint32_t groups;       ///< of a whole window
  uint32_t pair_count;   ///< pairs of channels in a tile
  uint32_t copies;       ///< windows copied at a time

  explicit ConvLayoutS8(const WindowShape& shape);

  static uint32_t RowTaps(const WindowShape& shape) {
    return uint32_t{shape.window_width} * shape.window_channels;
  }
  uint32_t pair_weight_bytes() const { return groups * kTapGroupBytes; }
};

/// How a fast kernel goes about a DEPTHWISE_CONV_2D.
enum class DepthwiseWay : uint32_t {
  kReference,   ///< too odd a shape for it
  kSideBySide,  ///< four channels at a time
  kLines        ///< 3x3: four channels at a time, split into lines
};

constexpr uint32_t kDepthwiseChannels = 4;
/// Bytes of a tile's terms, and of the widened weights of one tap side by side.
constexpr uint32_t kDepthwiseTileBytes = 88;
constexpr uint32_t kDepthwiseTapBytes = 8;
constexpr uint32_t kDepthwiseLinesTileBytes = 264;

DepthwiseWay ChooseDepthwiseWay(const WindowShape& shape);

/// Taps of one line, padding included, even: what pairs of pixels need.
constexpr uint32_t DepthwiseLineTaps(const WindowShape& shape) {
  return (shape.output_width + 1u) / 2 * 2 * shape.stride_width + 2;
}

}  // namespace ota::engine
