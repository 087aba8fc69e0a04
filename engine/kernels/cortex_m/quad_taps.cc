// SPDX-License-Identifier: Apache-2.0
// Rows of taps in C++: tests on a host.
#include "engine/kernels/cortex_m/quad_taps.h"

#include "engine/kernels/cortex_m/dsp.h"
#include "engine/kernels/requantize.h"

namespace ota::engine::dsp {

void AddTogether(const uint32_t* values, const int8_t* at, uint32_t count, int32_t* sums,
                 int32_t zero_point) {
  for (; count != 0; --count, ++at, values += 4) {
    for (uint32_t i = 0; i < 4; ++i) {
      sums[i] = WrappingAdd(sums[i], (*at + zero_point) * static_cast<int32_t>(values[i]));
    }
  }
}

void AddSideBySide(const QuadRun& run, int32_t* sums) {
  const uint32_t* values = run.values;
  const int8_t* at = run.at + static_cast<int32_t>(run.rounds - 1) * run.column_step;
  const int32_t zero_point = LowHalf(run.zero_points);
  for (uint32_t row = run.entry; row != 0; --row, at += run.row_step) {
    for (uint32_t left = run.rounds; left != 0; --left, at -= run.column_step, values += 4) {
      for (uint32_t i = 0; i < 4; ++i) {
        const int32_t value = at[i] + zero_point;
        int32_t& sum = sums[PlaceOf(i)];
        sum = WrappingAdd(sum, value * static_cast<int32_t>(values[i]));
      }
    }
  }
}

}  // namespace ota::engine::dsp
