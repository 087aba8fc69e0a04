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
  kQuads       ///< four pixels at a time
};
ConvWay ChooseConvWay(const WindowShape& shape);

/// Pixels whose windows are gathered at a time.
constexpr uint32_t kQuadPixels = 4;

/// How the windows of four pixels are gathered and widened. A window is a row of pieces, each of
/// which lies together in the input. The parts of the scratch follow each other in the order of the
/// fields in bytes.
struct QuadLayout {
  uint32_t tap_count;
  uint32_t piece_taps;
  uint32_t pieces_across;   ///< in a row of the window
  uint32_t chunk_taps_max;  ///< gathered at a time
  bool is_aligned;          ///< pieces are whole groups of four taps
  bool is_padded;           ///< some windows reach out of the image

  uint32_t header_bytes;
  uint32_t value_bytes;  ///< widened windows
  uint32_t work_bytes;   ///< copies of what is not read in place, then sums where windows come in
                         ///< chunks

  /// `chunk_taps_max`: a multiple of four; `tap_bytes`: of a widened tap of one pixel.
  QuadLayout(const WindowShape& shape, uint32_t chunk_taps_max, uint32_t tap_bytes);

  /// Taps that a core gathers at a time whose widened taps have `tap_bytes`: all, or a multiple of
  /// four.
  uint32_t ChunkTaps(uint32_t tap_bytes) const;
  /// Bytes that the copies of one of the four pixels have.
  uint32_t CopyBytes(uint32_t chunk_taps) const;
  uint32_t scratch_bytes() const { return header_bytes + value_bytes + work_bytes; }
};

QuadLayout ConvQuadLayout(const WindowShape& shape);

/// Whether a CONV_2D whose weights are streamed is computed four channels at a time (conv.h): its
/// windows are a few rows, each of which lies together in the input, and its weights are not many.
bool IsForChannelQuads(const WindowShape& shape);
/// The widened weights, then a row of a window that lies out of the image, 0 if none reaches there.
uint32_t ChannelQuadPaddingBytes(const WindowShape& shape);
uint32_t ChannelQuadScratchBytes(const WindowShape& shape);
constexpr uint32_t kChannelQuadRowsMax = 8;
QuadLayout DepthwiseQuadLayout(const WindowShape& shape);

/// How a fast kernel goes about a DEPTHWISE_CONV_2D.
enum class DepthwiseWay : uint32_t {
  kReference,   ///< too odd a shape for it
  kSideBySide,  ///< four channels at a time
  kLines,       ///< 3x3: four channels at a time, split into lines
  kQuads        ///< of one input channel: as a CONV_2D
};

constexpr uint32_t kDepthwiseChannels = 4;
constexpr uint32_t kDepthwiseLinesTileBytes = 264;

DepthwiseWay ChooseDepthwiseWay(const WindowShape& shape);

/// Bytes of a channel's weights, by channel, that follow the quads' scratch of a depthwise tile.
constexpr uint32_t DepthwiseQuadChannelBytes(const WindowShape& shape) {
  return (uint32_t{shape.window_height} * shape.window_width + 3) / 4 * 4;
}

/// Taps of one line, padding included, even: what pairs of pixels need.
constexpr uint32_t DepthwiseLineTaps(const WindowShape& shape) {
  return (shape.output_width + 1u) / 2 * 2 * shape.stride_width + 2;
}

}  // namespace ota::engine
