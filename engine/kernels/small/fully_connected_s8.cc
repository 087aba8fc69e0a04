// SPDX-License-Identifier: Apache-2.0
// FULLY_CONNECTED in int8 in little code: two channels at a time share the widened inputs.
#include <algorithm>

#include "engine/kernels/cortex_m/dsp.h"
#include "engine/kernels/dense.h"

namespace ota::engine {
namespace {

struct Sums {
  int32_t first;
  int32_t second;
};

/// Sums of whole groups of four taps.
[[gnu::noinline]] Sums SumRows(const int8_t* input, const uint8_t* first, const uint8_t* second,
                               uint32_t taps, int32_t zero_point) {
  const uint32_t zero_points = dsp::PackHalves(-zero_point, -zero_point);
  int32_t sum0 = 0, sum1 = 0;
  for (const int8_t* const end = input + taps; input != end; input += 4, first += 4, second += 4) {
    const uint32_t word = dsp::LoadWord(input);
    const uint32_t even = dsp::AddEven(zero_points, word), odd = dsp::AddOdd(zero_points, word);
    const uint32_t taps0 = dsp::LoadWord(first), taps1 = dsp::LoadWord(second);
    sum0 = dsp::MultiplyPairs(even, dsp::WidenEven(taps0), sum0);
    sum1 = dsp::MultiplyPairs(even, dsp::WidenEven(taps1), sum1);
    sum0 = dsp::MultiplyPairs(odd, dsp::WidenOdd(taps0), sum0);
    sum1 = dsp::MultiplyPairs(odd, dsp::WidenOdd(taps1), sum1);
  }
  return {sum0, sum1};
}

}  // namespace

void FullyConnectedS8(const DenseRows<ConvS8>& job) {
  const uint32_t whole = job.depth / 4 * 4;
  for (uint32_t pixel = 0; pixel < job.pixel_count; ++pixel) {
    const int8_t* const input = job.input + pixel * job.depth;
    int8_t* const output = job.output + pixel * job.output_step;
    const auto finish = [&](uint32_t channel, const uint8_t* row, int32_t sum) {
      sum = ReferenceAccumulate<ConvS8>(sum, input + whole, row + whole, job.depth - whole,
                                        job.range);
      output[channel] = FinishDense(sum, channel, job);
    };
    for (uint32_t channel = 0; channel < job.channel_count; channel += 2) {
      const uint32_t other = std::min(channel + 1, job.channel_count - 1);
      const uint8_t* const first = job.weights + channel * job.depth;
      const uint8_t* const second = job.weights + other * job.depth;
      const Sums sums = SumRows(input, first, second, whole, job.range.input_zero_point);
      finish(channel, first, sums.first);
      finish(other, second, sums.second);
    }
  }
}

}  // namespace ota::engine
