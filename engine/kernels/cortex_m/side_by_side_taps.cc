// SPDX-License-Identifier: Apache-2.0
// Taps side by side in C++, for cores without the DSP extension, and for tests on a host.
#include "engine/kernels/cortex_m/dsp.h"
#include "engine/kernels/cortex_m/side_by_side.h"

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

}  // namespace

void AddOwnTaps(const SideBySideTaps& taps, const int8_t* at, const uint8_t* weights,
                int32_t* sums) {
  AddTapsOf<false>(taps, at, weights, sums);
}

void AddSharedTaps(const SideBySideTaps& taps, const int8_t* at, const uint8_t* weights,
                   int32_t* sums) {
  AddTapsOf<true>(taps, at, weights, sums);
}

}  // namespace ota::engine::dsp
