// SPDX-License-Identifier: Apache-2.0
// DEPTHWISE_CONV_2D in int8 in little code: four channels that lie side by side at a time. One load
// brings a tap of all of them, or, of one input channel, the tap that all of them share.
#include <algorithm>

#include "engine/kernels/conv.h"
#include "engine/kernels/small/store_sums.h"

namespace ota::engine {
namespace {

constexpr uint32_t kTogether = 4;

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width;
}

/// Channels of a tile that are computed here; the rest goes to the reference kernel.
uint32_t CountTogether(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  const bool is_plain = shape.input_channels == shape.output_channels || shape.input_channels == 1;
  return is_plain ? job.channel_count / kTogether * kTogether : 0;
}

/// The taps of a window that lie in the image, of inputs and of weights.
struct Taps {
  uint32_t rows;
  uint32_t columns;
  int32_t row_step;     ///< from the end of a row to the next
  int32_t column_step;  ///< bytes
  uint32_t weight_row_step;
  uint32_t weight_step;
  uint32_t zero_points;  ///< negative, as halves
};

/// Adds the products of four channels to their sums. kIsShared: one input for all.
template <bool kIsShared>
[[gnu::noinline]] void AddTaps(const Taps& taps, const int8_t* at, const uint8_t* weights,
                               int32_t* sums) {
  int32_t sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
  const uint32_t zero_points = taps.zero_points;
  for (uint32_t row = taps.rows; row != 0; --row) {
    for (uint32_t left = taps.columns; left != 0; --left) {
      const uint32_t word = kIsShared ? static_cast<uint8_t>(*at) * 0x01010101u : dsp::LoadWord(at);
      const uint32_t even = dsp::AddEven(zero_points, word);
      const uint32_t odd = dsp::AddOdd(zero_points, word);
      const uint32_t weight = dsp::LoadWord(weights);
      const uint32_t weight_even = dsp::WidenEven(weight), weight_odd = dsp::WidenOdd(weight);
      sum0 = dsp::MultiplyLowLow(even, weight_even, sum0);
      sum1 = dsp::MultiplyLowLow(odd, weight_odd, sum1);
      sum2 = dsp::MultiplyHighHigh(even, weight_even, sum2);
      sum3 = dsp::MultiplyHighHigh(odd, weight_odd, sum3);
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
                  int8_t* output) {
  const WindowShape& shape = *job.shape;
  const TapRange rows = FindTaps(y, shape.window_height, shape.dilation_height, shape.input_height);
  const TapRange columns = FindTaps(x, shape.window_width, shape.dilation_width, shape.input_width);
  const bool is_shared = shape.input_channels == 1;
  const int32_t width = columns.end - columns.begin;
  const int32_t pitch = shape.input_width * shape.input_channels;
  const int32_t zero_point = -job.range.input_zero_point;
  Taps taps;
  taps.rows = static_cast<uint32_t>(std::max(rows.end - rows.begin, 0));
  taps.columns = static_cast<uint32_t>(std::max(width, 0));
  taps.column_step = shape.dilation_width * shape.input_channels;
  taps.row_step = shape.dilation_height * pitch - width * taps.column_step;
  taps.weight_step = job.weight_stride;
  taps.weight_row_step = (shape.window_width - taps.columns) * job.weight_stride;
  taps.zero_points = dsp::PackHalves(zero_point, zero_point);
  const int8_t* const at = job.input + (y + rows.begin * shape.dilation_height) * pitch +
                           x * shape.input_channels + columns.begin * taps.column_step;
  const uint8_t* const weights =
      job.weights +
      static_cast<uint32_t>(rows.begin * shape.window_width + columns.begin) * job.weight_stride;
  for (uint32_t channel = 0; channel < count; channel += kTogether) {
    int32_t sums[kTogether];
    for (uint32_t i = 0; i < kTogether; ++i) sums[i] = job.terms[channel + i].bias;
    is_shared ? AddTaps<true>(taps, at, weights + channel, sums)
              : AddTaps<false>(taps, at + job.channel_begin + channel, weights + channel, sums);
    StoreSums(job, {sums, kTogether, job.terms + channel, 1, output + channel, 1});
  }
}

void ComputeTogether(const ConvRows<ConvS8>& job, uint32_t count) {
  const WindowShape& shape = *job.shape;
  int8_t* output =
      job.output + job.row_begin * shape.output_width * shape.output_channels + job.channel_begin;
  for (uint32_t row = job.row_begin; row < job.row_begin + job.row_count; ++row) {
    for (uint32_t column = 0; column < shape.output_width; ++column) {
      ComputePixel(job, shape.InputRow(row), shape.InputColumn(column), count, output);
      output += shape.output_channels;
    }
  }
}

}  // namespace

void BeginDepthwiseTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  dsp::BeginQuadTerms(job, TapCount(*job.shape), CountTogether(job), terms);
}

void DepthwiseRowsS8(const ConvRows<ConvS8>& job) {
  const uint32_t count = CountTogether(job);
  if (count != 0) ComputeTogether(job, count);
  ConvRows<ConvS8> rest = job;
  rest.channel_begin += count;
  rest.channel_count -= count;
  rest.weights += count;
  rest.terms += count;
  if (rest.channel_count != 0) ReferenceDepthwiseRows(rest);
}

}  // namespace ota::engine
