// SPDX-License-Identifier: Apache-2.0
// Dot products of rows in C++, as cores with the DSP extension have them: tests on a host.
#include "engine/kernels/cortex_m/dot_rows.h"

#include "engine/kernels/cortex_m/dsp.h"

namespace ota::engine::dsp {

void WidenRow(const int8_t* input, uint32_t group_count, int32_t zero_point, uint32_t* target) {
  const uint32_t zero_points = PackHalves(-zero_point, -zero_point);
  for (uint32_t i = 0; i < 2 * group_count; ++i, input += 4, target += 2) {
    const uint32_t word = LoadWord(input);
    target[0] = AddEven(zero_points, word);
    target[1] = AddOdd(zero_points, word);
  }
}

void DotRows(DotRun& run) {
  for (; run.sums != run.sums_end; ++run.sums, run.row += run.row_bytes) {
    for (uint32_t i = 0; i < 2 * run.group_count; ++i) {
      const uint32_t word = LoadWord(run.row + 4 * i);
      *run.sums = MultiplyPairs(WidenEven(word), run.inputs[2 * i], *run.sums);
      *run.sums = MultiplyPairs(WidenOdd(word), run.inputs[2 * i + 1], *run.sums);
    }
  }
}

}  // namespace ota::engine::dsp
