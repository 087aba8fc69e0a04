// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/host/windows.h"

#include <algorithm>

#include "engine/kernels/host/tile_terms.h"
#include "engine/kernels/host/vectors.h"

namespace ota::engine::host {

namespace {

constexpr uint32_t kWindows = 4;

OTA_VECTOR_PART void Widen(const int8_t* from, uint32_t count, int32_t zero_point, int16_t* to) {
  for (uint32_t i = 0; i < count; ++i) to[i] = static_cast<int16_t>(from[i] - zero_point);
}

// One row of the window, its zero point subtracted, so that padding is 0.
OTA_VECTOR_PART void LoadWindowRow(const ConvRows<ConvS8>& job, const int8_t* line, int32_t x,
                                   int16_t* to) {
  const WindowShape& shape = *job.shape;
  const uint32_t depth = shape.input_channels;
  const uint32_t taps = shape.window_width * depth;
  const TapRange columns = FindTaps(x, shape.window_width, shape.dilation_width, shape.input_width);
  const auto begin = static_cast<uint32_t>(columns.begin);
  const auto end = static_cast<uint32_t>(std::max(columns.begin, columns.end));
  std::fill(to, to + begin * depth, int16_t{0});
  if (shape.dilation_width == 1) {
    Widen(line + (x + columns.begin) * static_cast<int32_t>(depth), (end - begin) * depth,
          job.range.input_zero_point, to + begin * depth);
  } else {
    for (uint32_t tap = begin; tap < end; ++tap) {
      const int32_t column = x + static_cast<int32_t>(tap) * shape.dilation_width;
      Widen(line + column * static_cast<int32_t>(depth), depth, job.range.input_zero_point,
            to + tap * depth);
    }
  }
  std::fill(to + end * depth, to + taps, int16_t{0});
}

OTA_VECTOR_PART void LoadWindow(const ConvRows<ConvS8>& job, uint32_t row, uint32_t column,
                                int16_t* to) {
  const WindowShape& shape = *job.shape;
  const uint32_t row_taps = uint32_t{shape.window_width} * shape.input_channels;
  const uint32_t line_bytes = uint32_t{shape.input_width} * shape.input_channels;
  int32_t y = shape.InputRow(row);
  const int32_t x = shape.InputColumn(column);
  for (uint32_t i = 0; i < shape.window_height; ++i, y += shape.dilation_height, to += row_taps) {
    if (y < 0 || y >= shape.input_height) {
      std::fill(to, to + row_taps, int16_t{0});
    } else {
      LoadWindowRow(job, job.input + static_cast<uint32_t>(y) * line_bytes, x, to);
    }
  }
}

// Dot products of four windows and two rows of weights: sums[window * stride + row].
OTA_VECTOR_PART void DotFourByTwo(const int16_t* windows, const int16_t* weights, uint32_t taps,
                                  int32_t* sums, uint32_t stride) {
  const int16_t* const a = windows;
  const int16_t* const b = a + taps;
  const int16_t* const c = b + taps;
  const int16_t* const d = c + taps;
  const int16_t* const first = weights;
  const int16_t* const second = first + taps;
  int32_t a0 = 0, b0 = 0, c0 = 0, d0 = 0, a1 = 0, b1 = 0, c1 = 0, d1 = 0;
  for (uint32_t i = 0; i < taps; ++i) {
    a0 += a[i] * first[i];
    b0 += b[i] * first[i];
    c0 += c[i] * first[i];
    d0 += d[i] * first[i];
    a1 += a[i] * second[i];
    b1 += b[i] * second[i];
    c1 += c[i] * second[i];
    d1 += d[i] * second[i];
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[stride] = b0;
  sums[stride + 1] = b1;
  sums[2 * stride] = c0;
  sums[2 * stride + 1] = c1;
  sums[3 * stride] = d0;
  sums[3 * stride + 1] = d1;
}

OTA_VECTOR_PART void DotOneByFour(const int16_t* window, const int16_t* weights, uint32_t taps,
                                  int32_t* sums) {
  const int16_t* const first = weights;
  const int16_t* const second = first + taps;
  const int16_t* const third = second + taps;
  const int16_t* const fourth = third + taps;
  int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
  for (uint32_t i = 0; i < taps; ++i) {
    sum0 += window[i] * first[i];
    sum1 += window[i] * second[i];
    sum2 += window[i] * third[i];
    sum3 += window[i] * fourth[i];
  }
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
}

OTA_VECTOR_PART int32_t Dot(const int16_t* window, const int16_t* weights, uint32_t taps) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < taps; ++i) sum += window[i] * weights[i];
  return sum;
}

// Sums of up to four windows and all channels. `taps` is a multiple of 16.
OTA_VECTOR_PART void SumWindows(const int16_t* windows, uint32_t window_count,
                                const int16_t* weights, uint32_t channels, uint32_t taps,
                                int32_t* sums) {
  uint32_t done = 0;
  if (window_count == kWindows) {
    for (; done + 2 <= channels; done += 2) {
      DotFourByTwo(windows, weights + done * taps, taps, sums + done, channels);
    }
  }
  for (uint32_t i = 0; i < window_count; ++i, windows += taps, sums += channels) {
    uint32_t channel = done;
    for (; channel + 4 <= channels; channel += 4) {
      DotOneByFour(windows, weights + channel * taps, taps, sums + channel);
    }
    for (; channel < channels; ++channel) {
      sums[channel] = Dot(windows, weights + channel * taps, taps);
    }
  }
}

// The sums of some pixels of a row.
OTA_VECTOR_CLONES void SumPixels(const ConvRows<ConvS8>& job, const int16_t* weights, uint32_t row,
                                 uint32_t column, uint32_t count, int16_t* windows, int32_t* sums) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps =
      FilledTaps(uint32_t{shape.window_height} * shape.window_width * shape.input_channels) & ~15u;
  for (uint32_t done = 0; done < count; done += kWindows) {
    const uint32_t part = std::min(kWindows, count - done);
    for (uint32_t i = 0; i < part; ++i) {
      LoadWindow(job, row, column + done + i, windows + i * taps);
    }
    SumWindows(windows, part, weights, job.channel_count, taps, sums + done * job.channel_count);
  }
}

}  // namespace

void ComputeWindows(const ConvRows<ConvS8>& job, const int16_t* weights) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width * shape.input_channels;
  const uint32_t filled = FilledTaps(taps);
  alignas(64) int16_t windows[kWindows * kTapsMax];
  alignas(64) int32_t sums[kChunkElements];
  for (uint32_t i = 0; i < kWindows; ++i) {
    std::fill(windows + i * filled + taps, windows + (i + 1) * filled, int16_t{0});
  }
  const TileTerms terms(job, taps);
  for (uint32_t row = job.row_begin; row < job.row_begin + job.row_count; ++row) {
    for (uint32_t column = 0; column < shape.output_width; column += kChunkPixels) {
      const uint32_t count = std::min<uint32_t>(kChunkPixels, shape.output_width - column);
      SumPixels(job, weights, row, column, count, windows, sums);
      terms.Store(sums, row * shape.output_width + column, count);
    }
  }
}

}  // namespace ota::engine::host
