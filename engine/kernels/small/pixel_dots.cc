// SPDX-License-Identifier: Apache-2.0
// Pixel dots in C++, for cores without the DSP extension, and for tests on a host.
#include "engine/kernels/small/pixel_dots.h"

#include <algorithm>

#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine {

void AddPixelDots(const int16_t* values, const uint8_t* weights, uint32_t group_count,
                  int32_t* sums) {
  int32_t sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
  for (; group_count != 0; --group_count, values += kDotGroupHalves) {
    for (uint32_t tap = 0; tap < 4; ++tap) {
      const int32_t weight = static_cast<int8_t>(*weights++);
      const int16_t* const at = values + DotHalfIndex(tap, 0);
      sum0 = WrappingAdd(sum0, weight * at[0]);
      sum1 = WrappingAdd(sum1, weight * at[2]);
      sum2 = WrappingAdd(sum2, weight * at[4]);
      sum3 = WrappingAdd(sum3, weight * at[6]);
    }
  }
  sums[0] = sum0, sums[1] = sum1, sums[2] = sum2, sums[3] = sum3;
}

void ComputePixelDots(dsp::PixelQuads& run) {
  const auto* const values = reinterpret_cast<const int16_t*>(run.values);
  for (; run.output != run.output_end; ++run.output, ++run.terms) {
    int32_t sums[kDotPixels];
    std::fill_n(sums, kDotPixels, run.terms->bias);
    if (run.group_count != 0) AddPixelDots(values, run.weights, run.group_count, sums);
    run.weights += 4 * run.group_count;
    if (run.rest != 0) {
      uint8_t rest[4] = {};
      std::copy_n(run.weights, run.rest, rest);
      AddPixelDots(values + run.group_count * kDotGroupHalves, rest, 1, sums);
      run.weights += run.rest;
    }
    const dsp::FastTerm term = dsp::FastTermOf(*run.terms, run.rounding_unit);
    for (uint32_t i = 0; i < kDotPixels; ++i) {
      run.output[i * run.output_step] = static_cast<int8_t>(dsp::RequantizeFast(sums[i], term));
    }
  }
}

}  // namespace ota::engine
