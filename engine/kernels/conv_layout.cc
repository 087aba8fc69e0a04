// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv_layout.h"

#include <algorithm>

#include "base/units.h"

namespace ota::engine {
namespace {

/// Bounds the sums of a window: taps * 255 * 128, and the bias, stay below 2^29.
constexpr uint32_t kTapsMax = 12 * 1024;
/// Longer windows are widened in chunks, and their tiles have sums, which bounds their channels.
constexpr uint32_t kChunkTapsMax = 512;
constexpr uint32_t kChunkedChannelsMax = 64;
/// Pixels, or channels, whose taps are widened together, and bytes of a widened tap: words, and the
/// halves that only some cores can use.
constexpr uint32_t kTogether = 4;
constexpr uint32_t kWordBytes = 4;
constexpr uint32_t kHalfBytes = 2;
/// Of a depthwise convolution of more taps words have no room for all of them.
constexpr uint32_t kWordTapsMax = 64;
/// Terms are kept for all channels of a tile.
constexpr uint32_t kTileChannelsMax = 256;

/// Rows of a window that are shorter are better gathered.
constexpr uint32_t kChannelQuadRowTapsMin = 16;
constexpr uint32_t kChannelQuadTapsMax = 1024;
constexpr uint32_t kChannelQuadRowsMax = 8;

constexpr uint32_t kDepthwiseTapsMax = 256;
/// Of the weights of a depthwise convolution by channel.
constexpr uint32_t kDepthwiseWeightBytesMax = 4096;

constexpr uint32_t kTileBytes = 8;
/// Of kLines: in front of the lines.
constexpr uint32_t kLinesTileBytes = 264;

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
}

/// Whether every window lies in the image.
bool IsNeverPadded(const WindowShape& shape) {
  const uint32_t rows = (shape.output_height - 1u) * shape.stride_height +
                        (shape.window_height - 1u) * shape.dilation_height;
  const uint32_t columns = (shape.output_width - 1u) * shape.stride_width +
                           (shape.window_width - 1u) * shape.dilation_width;
  return shape.padding_top == 0 && shape.padding_left == 0 && rows < shape.input_height &&
         columns < shape.input_width;
}

/// Taps of one line, padding included, even.
uint32_t LineTaps(const WindowShape& shape) {
  return (shape.output_width + 1u) / 2 * 2 * shape.stride_width + 2;
}

/// Copies of so many taps of all windows that go together, unless they are read in place.
uint32_t CopyBytes(const WindowShape& shape, uint32_t taps) {
  const bool is_dense = shape.dilation_width == 1 || shape.window_width == 1;
  const uint32_t piece = uint32_t{shape.window_channels} * (is_dense ? shape.window_width : 1);
  const bool is_aligned = piece % 4 == 0;
  if (is_aligned && IsNeverPadded(shape)) return 0;
  return kTogether * RoundUp(is_aligned && !is_dense ? std::min(piece, taps) : taps, 4);
}

/// Sums of all windows that go together, of each channel.
uint32_t SumBytes(const WindowShape& shape) {
  return kTogether * uint32_t{sizeof(int32_t)} *
         std::min<uint32_t>(kChunkedChannelsMax, shape.output_channels);
}

/// Copies, and sums where words have room for half of the taps.
uint32_t DepthwiseWorkBytes(const WindowShape& shape) {
  const uint32_t taps = TapCount(shape), whole = CopyBytes(shape, taps);
  if (taps <= kWordTapsMax) return whole;
  return std::max(whole, CopyBytes(shape, (taps + 3) / 8 * 4) + SumBytes(shape));
}

}  // namespace

ConvWay ChooseConvWay(const WindowShape& shape) {
  const bool is_plain =
      shape.window_channels == shape.input_channels && TapCount(shape) <= kTapsMax;
  return is_plain ? ConvWay::kQuads : ConvWay::kReference;
}

uint32_t ConvTileChannelsS8(const WindowShape& shape) {
  const bool is_chunked =
      ChooseConvWay(shape) == ConvWay::kQuads && TapCount(shape) > kChunkTapsMax;
  return std::min<uint32_t>(shape.output_channels,
                            is_chunked ? kChunkedChannelsMax : kTileChannelsMax);
}

uint32_t ConvScratchBytesS8(const WindowShape& shape) {
  if (ChooseConvWay(shape) == ConvWay::kReference) return kTileBytes;
  const uint32_t taps = TapCount(shape);
  const uint32_t chunk = std::min(taps, kChunkTapsMax);
  return kTileBytes + RoundUp(chunk, 4) * kTogether * kWordBytes + CopyBytes(shape, chunk) +
         (chunk < taps ? SumBytes(shape) : 0);
}

bool IsForChannelQuads(const WindowShape& shape) {
  const uint32_t row_taps = uint32_t{shape.window_width} * shape.window_channels;
  const bool has_long_rows = shape.window_height == 1 || row_taps >= kChannelQuadRowTapsMin;
  return shape.window_channels == shape.input_channels && shape.window_channels % 4 == 0 &&
         shape.dilation_width == 1 && shape.window_height <= kChannelQuadRowsMax && has_long_rows &&
         TapCount(shape) <= kChannelQuadTapsMax;
}

uint32_t ChannelQuadScratchBytes(const WindowShape& shape) {
  const uint32_t row_bytes = uint32_t{shape.window_width} * shape.window_channels;
  const uint32_t padding_bytes = IsNeverPadded(shape) ? 0 : RoundUp(row_bytes, 8);
  return padding_bytes + TapCount(shape) * kTogether * kWordBytes;
}

DepthwiseWay ChooseDepthwiseWay(const WindowShape& shape) {
  const uint32_t taps = TapCount(shape);
  if (taps > kDepthwiseTapsMax) return DepthwiseWay::kReference;
  if (shape.input_channels == 1 && shape.output_channels > 1) {
    const uint32_t weight_bytes = DepthwiseQuadChannelBytes(shape) * shape.output_channels;
    const bool fits =
        weight_bytes <= kDepthwiseWeightBytesMax && shape.output_channels <= kChunkedChannelsMax;
    return fits ? DepthwiseWay::kQuads : DepthwiseWay::kReference;
  }
  if (shape.input_channels != shape.output_channels ||
      shape.input_channels % kDepthwiseChannels != 0) {
    return DepthwiseWay::kReference;
  }
  const bool is_3x3 = shape.window_height == 3 && shape.window_width == 3;
  const bool is_dense = shape.dilation_height == 1 && shape.dilation_width == 1;
  return is_3x3 && is_dense && shape.stride_width <= 2 && shape.padding_top <= 2
             ? DepthwiseWay::kLines
             : DepthwiseWay::kSideBySide;
}

uint32_t DepthwiseTileChannelsS8(const WindowShape& shape) {
  const DepthwiseWay way = ChooseDepthwiseWay(shape);
  const bool is_by_four = way == DepthwiseWay::kSideBySide || way == DepthwiseWay::kLines;
  return is_by_four ? kDepthwiseChannels : shape.output_channels;
}

uint32_t DepthwiseValueBytes(const WindowShape& shape) {
  const uint32_t tap_bytes = TapCount(shape) <= kWordTapsMax ? kWordBytes : kHalfBytes;
  return DepthwiseQuadChannelBytes(shape) * kTogether * tap_bytes;
}

uint32_t DepthwiseScratchBytesS8(const WindowShape& shape) {
  switch (ChooseDepthwiseWay(shape)) {
    case DepthwiseWay::kReference:
    case DepthwiseWay::kSideBySide:
      return kTileBytes;
    case DepthwiseWay::kLines:
      return kLinesTileBytes + 3 * kDepthwiseChannels * LineTaps(shape) * uint32_t{sizeof(int16_t)};
    case DepthwiseWay::kQuads:
      return kTileBytes + DepthwiseQuadChannelBytes(shape) * shape.output_channels +
             DepthwiseValueBytes(shape) + DepthwiseWorkBytes(shape);
  }
  return 0;
}

}  // namespace ota::engine
