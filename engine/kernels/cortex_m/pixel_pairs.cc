// SPDX-License-Identifier: Apache-2.0
// ComputePixelPairs in C++, for cores without the DSP extension's registers to fill: tests on a
// host.
#include "engine/kernels/cortex_m/pixel_pairs.h"

namespace ota::engine::dsp {
namespace {

int32_t DotWindow(const PixelPairs& run, const int8_t* pixel, uint32_t channel) {
  int32_t sum = run.bias[channel];
  const uint32_t* weights = run.weights + 2 * channel;
  for (uint32_t row = 0; row < run.row_count; ++row) {
    for (uint32_t group = 0; group < run.group_count; ++group) {
      const uint32_t taps = LoadWord(pixel);
      sum = MultiplyPairs(WidenEven(taps), weights[0], sum);
      sum = MultiplyPairs(WidenOdd(taps), weights[1], sum);
      weights += 4;
      pixel += 4;
    }
    pixel += run.row_step;
  }
  return sum;
}

}  // namespace

void ComputePixelPairs(PixelPairs& run) {
  do {
    for (uint32_t channel = 0; channel < 2; ++channel) {
      run.output[channel] = static_cast<int8_t>(
          RequantizeFast(DotWindow(run, run.pixel, channel), run.terms[channel]));
    }
    run.pixel += run.pixel_step;
    run.output += run.output_step;
  } while (run.output != run.output_end);
}

}  // namespace ota::engine::dsp
