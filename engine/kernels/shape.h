// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::engine {

/// Geometry of a two-dimensional window operator: convolutions and pools. Tensors are batch,
/// height, width, channels, the last one fastest.
struct WindowShape {
  uint16_t batch_count;
  uint16_t input_height;
  uint16_t input_width;
  uint16_t input_channels;
  uint16_t output_height;
  uint16_t output_width;
  uint16_t output_channels;
  uint16_t window_height;
  uint16_t window_width;
  uint16_t stride_height;
  uint16_t stride_width;
  uint16_t dilation_height;
  uint16_t dilation_width;
  uint16_t padding_top;
  uint16_t padding_left;
  uint16_t window_channels;  ///< of a convolution: input channels of one group

  int32_t InputRow(uint32_t output_row) const {
    return static_cast<int32_t>(output_row * stride_height) - padding_top;
  }
  int32_t InputColumn(uint32_t output_column) const {
    return static_cast<int32_t>(output_column * stride_width) - padding_left;
  }
};

/// The taps of a window that lie in the image, for one dimension: window indices [begin, end).
struct TapRange {
  int32_t begin;
  int32_t end;
};

/// `origin`: position of the first tap in the image; taps are `dilation` apart.
constexpr TapRange FindTaps(int32_t origin, int32_t taps, int32_t dilation, int32_t size) {
  const int32_t begin = origin >= 0 ? 0 : (-origin + dilation - 1) / dilation;
  const int32_t end = origin >= size ? 0 : (size - origin + dilation - 1) / dilation;
  return {begin, end < taps ? end : taps};
}

/// The same of taps side by side.
constexpr TapRange FindTaps(int32_t origin, int32_t taps, int32_t size) {
  const int32_t end = size - origin;
  return {origin < 0 ? -origin : 0, end < taps ? end : taps};
}

}  // namespace ota::engine
