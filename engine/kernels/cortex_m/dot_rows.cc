// SPDX-License-Identifier: Apache-2.0
// Dot products of rows in C++, as cores with the DSP extension have them: tests on a host.
#include "engine/kernels/cortex_m/dot_rows.h"

#include "engine/kernels/cortex_m/dsp.h"

namespace ota::engine::dsp {

const uint32_t kRowTapBytes = 2;

void WidenRow(const int8_t* input, uint32_t group_count, int32_t zero_point, uint32_t* target) {
  const uint32_t zero_points = PackHalves(-zero_point, -zero_point);
  for (uint32_t i = 0; i < 2 * group_count; ++i, input += 4, target += 2) {
    const uint32_t word = LoadWord(input);
    target[0] = AddEven(zero_points, word);
    target[1] = AddOdd(zero_points, word);
  }
}

void DotRowQuad(const uint32_t* inputs, const uint8_t* const rows[4], uint32_t group_count,
                int32_t* sums) {
  for (uint32_t row = 0; row < 4; ++row) {
    for (uint32_t i = 0; i < 2 * group_count; ++i) {
      const uint32_t word = LoadWord(rows[row] + 4 * i);
      sums[row] = MultiplyPairs(WidenEven(word), inputs[2 * i], sums[row]);
      sums[row] = MultiplyPairs(WidenOdd(word), inputs[2 * i + 1], sums[row]);
    }
  }
}

}  // namespace ota::engine::dsp
