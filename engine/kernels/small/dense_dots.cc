// SPDX-License-Identifier: Apache-2.0
// Dense dots in C++: tests on a host.
#include "engine/kernels/small/dense_dots.h"

#include "engine/kernels/cortex_m/dsp.h"

namespace ota::engine {

void ComputeDenseDots(DenseDots& dots) {
  for (uint32_t i = 0; i < kDotRows; ++i) {
    const uint8_t* weights = dots.row + i * dots.row_step;
    int32_t sum = 0;
    for (const int8_t* at = dots.input; at != dots.input_end; at += 4, weights += 4) {
      const uint32_t word = dsp::LoadWord(at), taps = dsp::LoadWord(weights);
      sum = dsp::MultiplyPairs(dsp::AddEven(dots.zero_points, word), dsp::WidenEven(taps), sum);
      sum = dsp::MultiplyPairs(dsp::AddOdd(dots.zero_points, word), dsp::WidenOdd(taps), sum);
    }
    dots.sums[i] = sum;
  }
}

}  // namespace ota::engine
