// SPDX-License-Identifier: Apache-2.0
// Line pairs in C++, for tests on a host.
#include "engine/kernels/cortex_m/line_pairs.h"

namespace ota::engine::dsp {
namespace {

void ComputeLinePairs(LinePairs& run, uint32_t stride) {
  uint32_t column = 0;
  for (int8_t* output = run.output; output != run.output_end; output += run.output_step) {
    int32_t sum = run.bias;
    for (uint32_t row = 0; row < 3; ++row) {
      const int16_t* const taps = run.lines[row] + column;
      sum = MultiplyPairs(run.weights[2 * row], PackHalves(taps[0], taps[1]), sum);
      sum = MultiplyHighLow(run.weights[2 * row + 1], PackHalves(taps[2], 0), sum);
    }
    *output = static_cast<int8_t>(RequantizeFast(sum, run.term));
    column += stride;
  }
}

}  // namespace

void ComputeLinePairsStride1(LinePairs& run) { ComputeLinePairs(run, 1); }
void ComputeLinePairsStride2(LinePairs& run) { ComputeLinePairs(run, 2); }

}  // namespace ota::engine::dsp
