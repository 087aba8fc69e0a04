// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv_layout.h"

#include <algorithm>

namespace ota::engine {
namespace {

constexpr uint32_t kWindowRowsMax = 16;
/// Bounds the sums of a tile: twice taps * 2^14, and the bias, stay below 2^30.
constexpr uint32_t kTapsMax = (1 << 14) - 3 * kWindowRowsMax;

/// Rows of a window up to so many taps are gathered, and a tile has as many channels as the bytes
/// hold widened weights for.
constexpr uint32_t kGatheredTapsMax = 12;
constexpr uint32_t kGatheredWeightBytes = 1536;
/// Layers with no more widened weights than this are one tile: so they go row by row, and their
/// output may overlap their input.
constexpr uint32_t kSmallLayerBytes = 1024;

constexpr uint32_t kDepthwiseTapsMax = 256;

/// Terms of a tile, of a pair of channels, and of a row of the window.
constexpr uint32_t kTileBytes = 8;
constexpr uint32_t kPairBytes = 32;
constexpr uint32_t kRowBytes = 8;

ConvWay ChooseWay(const WindowShape& shape) {
  const bool is_contiguous = shape.dilation_width == 1 || shape.window_width == 1;
  const uint32_t row_taps = ConvLayoutS8::RowTaps(shape);
  if (!is_contiguous || shape.window_channels != shape.input_channels ||
      shape.window_height > kWindowRowsMax || row_taps * shape.window_height > kTapsMax) {
    return ConvWay::kReference;
  }
  const bool is_short = row_taps <= kGatheredTapsMax && shape.window_height > 1;
  return is_short ? ConvWay::kGather : ConvWay::kInPlace;
}

}  // namespace

ConvLayoutS8::ConvLayoutS8(const WindowShape& shape) : way(ChooseWay(shape)) {
  if (way == ConvWay::kGather) {
    groups = group_count = (RowTaps(shape) * shape.window_height + 3) / 4;
    pair_count = std::clamp<uint32_t>(kGatheredWeightBytes / pair_weight_bytes(), 1,
                                      (shape.output_channels + 1u) / 2);
    copies = kGatheredPixels;
    return;
  }
  group_count = (RowTaps(shape) + 3) / 4;
  groups = group_count * shape.window_height;
  const uint32_t all_pairs = (shape.output_channels + 1u) / 2;
  pair_count = all_pairs * pair_weight_bytes() <= kSmallLayerBytes ? all_pairs : 1;
  copies = 2;
}

uint32_t ConvTileChannelsS8(const WindowShape& shape) { return 2 * ConvLayoutS8(shape).pair_count; }

uint32_t ConvScratchBytesS8(const WindowShape& shape) {
  const ConvLayoutS8 layout(shape);
  if (layout.way == ConvWay::kReference) return kTileBytes;
  const uint32_t rows = layout.way == ConvWay::kInPlace ? shape.window_height : 0;
  return kTileBytes + layout.pair_count * (kPairBytes + layout.pair_weight_bytes()) +
         layout.pair_count * rows * kRowBytes + layout.copies * layout.groups * 4;
}

DepthwiseWay ChooseDepthwiseWay(const WindowShape& shape) {
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width;
  if (shape.input_channels != shape.output_channels ||
      shape.input_channels % kDepthwiseChannels != 0 || taps > kDepthwiseTapsMax) {
    return DepthwiseWay::kReference;
  }
  const bool is_3x3 = shape.window_height == 3 && shape.window_width == 3;
  const bool is_dense = shape.dilation_height == 1 && shape.dilation_width == 1;
  return is_3x3 && is_dense && shape.stride_width <= 2 && shape.padding_top <= 2
             ? DepthwiseWay::kLines
             : DepthwiseWay::kSideBySide;
}

uint32_t DepthwiseTileChannelsS8(const WindowShape& shape) {
  const bool is_reference = ChooseDepthwiseWay(shape) == DepthwiseWay::kReference;
  return is_reference ? shape.output_channels : kDepthwiseChannels;
}

uint32_t DepthwiseScratchBytesS8(const WindowShape& shape) {
  switch (ChooseDepthwiseWay(shape)) {
    case DepthwiseWay::kReference:
      return kTileBytes;
    case DepthwiseWay::kSideBySide:
      return kDepthwiseTileBytes +
             uint32_t{shape.window_height} * shape.window_width * kDepthwiseTapBytes;
    case DepthwiseWay::kLines:
      return kDepthwiseLinesTileBytes +
             3 * kDepthwiseChannels * DepthwiseLineTaps(shape) * uint32_t{sizeof(int16_t)};
  }
  return 0;
}

}  // namespace ota::engine
