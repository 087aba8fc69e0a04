// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/side_by_side.h"

#include <algorithm>

#include "engine/kernels/cortex_m/store_sums.h"

namespace ota::engine::dsp {
namespace {

/// kIsShared: one input for all.
template <bool kIsShared>
[[gnu::always_inline]] inline void AddTapsOf(const SideBySideTaps& taps, const int8_t* at,
                                             const uint8_t* weights, int32_t* sums) {
  int32_t sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
  const uint32_t zero_points = taps.zero_points;
  for (uint32_t row = taps.rows; row != 0; --row) {
    for (uint32_t left = taps.columns; left != 0; --left) {
      const uint32_t word = kIsShared ? static_cast<uint8_t>(*at) * 0x01010101u : LoadWord(at);
      const uint32_t even = AddEven(zero_points, word);
      const uint32_t odd = AddOdd(zero_points, word);
      const uint32_t weight = LoadWord(weights);
      const uint32_t weight_even = WidenEven(weight), weight_odd = WidenOdd(weight);
      sum0 = MultiplyLowLow(even, weight_even, sum0);
      sum1 = MultiplyLowLow(odd, weight_odd, sum1);
      sum2 = MultiplyHighHigh(even, weight_even, sum2);
      sum3 = MultiplyHighHigh(odd, weight_odd, sum3);
      at += taps.column_step;
      weights += taps.weight_step;
    }
    at += taps.row_step;
    weights += taps.weight_row_step;
  }
  sums[0] = sum0, sums[1] = sum1, sums[2] = sum2, sums[3] = sum3;
}

/// One pixel of `count` channels.
void ComputePixel(const ConvRows<ConvS8>& job, int32_t y, int32_t x, uint32_t count,
                  AddTaps add_taps, int8_t* output) {
  const WindowShape& shape = *job.shape;
  const TapRange rows = FindTaps(y, shape.window_height, shape.dilation_height, shape.input_height);
  const TapRange columns = FindTaps(x, shape.window_width, shape.dilation_width, shape.input_width);
  const bool is_shared = shape.input_channels == 1;
  const int32_t width = columns.end - columns.begin;
  const int32_t pitch = shape.input_width * shape.input_channels;
  const int32_t zero_point = -job.range.input_zero_point;
  SideBySideTaps taps;
  taps.rows = static_cast<uint32_t>(std::max(rows.end - rows.begin, 0));
  taps.columns = static_cast<uint32_t>(std::max(width, 0));
  taps.column_step = shape.dilation_width * shape.input_channels;
  taps.row_step = shape.dilation_height * pitch - width * taps.column_step;
  taps.weight_step = job.weight_stride;
  taps.weight_row_step = (shape.window_width - taps.columns) * job.weight_stride;
  taps.zero_points = PackHalves(zero_point, zero_point);
  const int8_t* const at = job.input + (y + rows.begin * shape.dilation_height) * pitch +
                           x * shape.input_channels + columns.begin * taps.column_step;
  const uint8_t* const weights =
      job.weights +
      static_cast<uint32_t>(rows.begin * shape.window_width + columns.begin) * job.weight_stride;
  for (uint32_t channel = 0; channel < count; channel += kChannelsTogether) {
    int32_t sums[kChannelsTogether];
    for (uint32_t i = 0; i < kChannelsTogether; ++i) sums[i] = job.terms[channel + i].bias;
    add_taps(taps, is_shared ? at : at + job.channel_begin + channel, weights + channel, sums);
    StoreSums(job, {sums, kChannelsTogether, job.terms + channel, 1, output + channel, 1});
  }
}

}  // namespace

void AddOwnTaps(const SideBySideTaps& taps, const int8_t* at, const uint8_t* weights,
                int32_t* sums) {
  AddTapsOf<false>(taps, at, weights, sums);
}

void AddSharedTaps(const SideBySideTaps& taps, const int8_t* at, const uint8_t* weights,
                   int32_t* sums) {
  AddTapsOf<true>(taps, at, weights, sums);
}

void ComputeSideBySide(const ConvRows<ConvS8>& job, uint32_t count, AddTaps add_taps) {
  const WindowShape& shape = *job.shape;
  int8_t* output =
      job.output + job.row_begin * shape.output_width * shape.output_channels + job.channel_begin;
  for (uint32_t row = job.row_begin; row < job.row_begin + job.row_count; ++row) {
    for (uint32_t column = 0; column < shape.output_width; ++column) {
      ComputePixel(job, shape.InputRow(row), shape.InputColumn(column), count, add_taps, output);
      output += shape.output_channels;
    }
  }
}

}  // namespace ota::engine::dsp
