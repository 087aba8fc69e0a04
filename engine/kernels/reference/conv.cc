// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv.h"

#include <algorithm>
#include <cstring>

namespace ota::engine {

template <>
int8_t ReferenceFinish<ConvS8>(int32_t sum, const ChannelTermS8& term, const ResultRange& range,
                               RoundingMode rounding) {
  const int32_t scaled = Requantize(WrappingAdd(sum, term.bias), term.multiplier, rounding);
  const int32_t result = WrappingAdd(scaled, range.output_zero_point);
  return static_cast<int8_t>(std::clamp(result, range.lowest, range.highest));
}

template <>
int16_t ReferenceFinish<ConvS16>(int64_t sum, const ChannelTermS16& term, const ResultRange& range,
                                 RoundingMode) {
  const auto biased =
      static_cast<int64_t>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(term.bias));
  const int32_t result =
      WrappingAdd(Requantize64(biased, term.multiplier), range.output_zero_point);
  return static_cast<int16_t>(std::clamp(result, range.lowest, range.highest));
}

template <>
float ReferenceFinish<ConvF32>(float sum, const ChannelTermF32& term, const ResultRange& range,
                               RoundingMode) {
  return std::clamp(sum + term.bias, range.lowest_float, range.highest_float);
}

namespace {

template <typename Weight>
Weight LoadWeight(const uint8_t* weights, uint32_t index) {
  Weight weight;
  std::memcpy(&weight, weights + index * sizeof(Weight), sizeof(Weight));
  return weight;
}

int32_t Accumulate(int32_t sum, int32_t value, int32_t weight) {
  return WrappingAdd(sum, value * weight);
}
int64_t Accumulate(int64_t sum, int32_t value, int32_t weight) {
  return sum + int64_t{value} * weight;
}
float Accumulate(float sum, float value, float weight) { return sum + value * weight; }

int32_t Centred(int8_t value, const ResultRange& range) { return value - range.input_zero_point; }
int32_t Centred(int16_t value, const ResultRange& range) { return value - range.input_zero_point; }
float Centred(float value, const ResultRange&) { return value; }

// Where the weight of a tap lies: elements from output channel to output channel, and from tap to
// tap.
struct WeightSteps {
  uint32_t channel;
  uint32_t tap;
};

// Sum over the window of one output channel at one pixel.
template <typename Types>
typename Types::Accumulator SumWindow(const ConvRows<Types>& job, const WeightSteps& steps,
                                      int32_t y, int32_t x, uint32_t channel) {
  const WindowShape& shape = *job.shape;
  const uint32_t depth = shape.window_channels;
  const uint32_t group_outputs = shape.output_channels * depth / shape.input_channels;
  const uint32_t first_input = (job.channel_begin + channel) / group_outputs * depth;
  const TapRange rows = FindTaps(y, shape.window_height, shape.dilation_height, shape.input_height);
  const TapRange columns = FindTaps(x, shape.window_width, shape.dilation_width, shape.input_width);
  typename Types::Accumulator sum = 0;
  for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
      const auto pixel = static_cast<uint32_t>(
          (y + ky * shape.dilation_height) * shape.input_width + x + kx * shape.dilation_width);
      const auto tap = static_cast<uint32_t>(ky * shape.window_width + kx);
      const uint32_t first_weight = channel * steps.channel + tap * steps.tap;
      sum = ReferenceAccumulate<Types>(sum, job.input + pixel * shape.input_channels + first_input,
                                       job.weights + first_weight * sizeof(typename Types::Weight),
                                       depth, job.range);
    }
  }
  return sum;
}

template <typename Types>
typename Types::Accumulator SumTransposed(const ConvRows<Types>& job, int32_t y, int32_t x,
                                          uint32_t channel) {
  const WindowShape& shape = *job.shape;
  const uint32_t depth = shape.input_channels;
  const uint32_t window = uint32_t{shape.window_height} * shape.window_width * depth;
  typename Types::Accumulator sum = 0;
  for (int32_t ky = 0; ky < shape.window_height && ky <= y; ++ky) {
    const int32_t input_y = (y - ky) / shape.stride_height;
    if ((y - ky) % shape.stride_height != 0 || input_y >= shape.input_height) continue;
    for (int32_t kx = 0; kx < shape.window_width && kx <= x; ++kx) {
      const int32_t input_x = (x - kx) / shape.stride_width;
      if ((x - kx) % shape.stride_width != 0 || input_x >= shape.input_width) continue;
      const auto pixel = static_cast<uint32_t>(input_y * shape.input_width + input_x);
      const uint32_t tap = static_cast<uint32_t>(ky * shape.window_width + kx) * depth;
      for (uint32_t i = 0; i < depth; ++i) {
        const auto weight =
            LoadWeight<typename Types::Weight>(job.weights, channel * window + tap + i);
        sum = Accumulate(sum, Centred(job.input[pixel * depth + i], job.range), weight);
      }
    }
  }
  return sum;
}

template <typename Types>
void ComputeRow(const ConvRows<Types>& job, const WeightSteps& steps, uint32_t row) {
  const WindowShape& shape = *job.shape;
  const int32_t y = shape.InputRow(row);
  auto* output = job.output + row * shape.output_width * shape.output_channels + job.channel_begin;
  for (uint32_t column = 0; column < shape.output_width; ++column) {
    const int32_t x = shape.InputColumn(column);
    for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
      output[channel] = ReferenceFinish<Types>(SumWindow(job, steps, y, x, channel),
                                               job.terms[channel], job.range, job.rounding);
    }
    output += shape.output_channels;
  }
}

template <typename Types>
void ComputeRows(const ConvRows<Types>& job, const WeightSteps& steps) {
  for (uint32_t i = 0; i < job.row_count; ++i) ComputeRow(job, steps, job.row_begin + i);
}

}  // namespace

template <typename Types>
void ReferenceTransposedRows(const ConvRows<Types>& job) {
  const WindowShape& shape = *job.shape;
  const uint32_t first = job.row_begin * shape.output_width;
  const uint32_t pixels = job.row_count * shape.output_width;
  auto* output = job.output + first * shape.output_channels + job.channel_begin;
  for (uint32_t pixel = first; pixel < first + pixels; ++pixel) {
    const auto y = static_cast<int32_t>(pixel / shape.output_width) + shape.padding_top;
    const auto x = static_cast<int32_t>(pixel % shape.output_width) + shape.padding_left;
    for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
      output[channel] = ReferenceFinish<Types>(SumTransposed(job, y, x, channel),
                                               job.terms[channel], job.range, job.rounding);
    }
    output += shape.output_channels;
  }
}

template <typename Types>
void ReferenceConvRows(const ConvRows<Types>& job) {
  const WindowShape& shape = *job.shape;
  const uint32_t depth = shape.window_channels;
  ComputeRows(job, {uint32_t{shape.window_height} * shape.window_width * depth, depth});
}

template <typename Types>
void ReferenceDepthwiseRows(const ConvRows<Types>& job) {
  ComputeRows(job, {1, job.weight_stride});
}

template <typename Types>
typename Types::Accumulator ReferenceAccumulate(typename Types::Accumulator sum,
                                                const typename Types::Activation* input,
                                                const uint8_t* weights, uint32_t count,
                                                const ResultRange& range) {
  for (uint32_t i = 0; i < count; ++i) {
    sum = Accumulate(sum, Centred(input[i], range), LoadWeight<typename Types::Weight>(weights, i));
  }
  return sum;
}

template int32_t ReferenceAccumulate<ConvS8>(int32_t, const int8_t*, const uint8_t*, uint32_t,
                                             const ResultRange&);
template int64_t ReferenceAccumulate<ConvS16>(int64_t, const int16_t*, const uint8_t*, uint32_t,
                                              const ResultRange&);
template float ReferenceAccumulate<ConvF32>(float, const float*, const uint8_t*, uint32_t,
                                            const ResultRange&);
template void ReferenceConvRows<ConvS8>(const ConvRows<ConvS8>& job);
template void ReferenceConvRows<ConvS16>(const ConvRows<ConvS16>& job);
template void ReferenceConvRows<ConvF32>(const ConvRows<ConvF32>& job);
template void ReferenceDepthwiseRows<ConvS8>(const ConvRows<ConvS8>& job);
template void ReferenceDepthwiseRows<ConvS16>(const ConvRows<ConvS16>& job);
template void ReferenceDepthwiseRows<ConvF32>(const ConvRows<ConvF32>& job);
template void ReferenceTransposedRows<ConvS8>(const ConvRows<ConvS8>& job);
template void ReferenceTransposedRows<ConvS16>(const ConvRows<ConvS16>& job);
template void ReferenceTransposedRows<ConvF32>(const ConvRows<ConvF32>& job);

}  // namespace ota::engine
