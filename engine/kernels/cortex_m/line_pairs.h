// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine::dsp {

/// One row of the output of one channel of a 3x3 depthwise convolution, from three lines of the
/// input as halves, padding included. Two pixels at a time. Field offsets are known to the
/// assembly.
struct LinePairs {
  const int16_t* lines[3];  ///< first tap of the first window in each row
  uint32_t weights[6];      ///< per row of the window: (w0, w1), (w1, w2)
  int32_t bias;
  FastTerm term;
  int8_t* output;
  int32_t output_step;  ///< bytes from pixel to pixel
  int8_t* output_end;   ///< where `output` is after the last pair
};
static_assert(sizeof(void*) != 4 || offsetof(LinePairs, output_end) == 60);

/// Computes pairs of pixels from `output` to `output_end`, at least one. The lines must hold
/// as many taps as the pairs need and one more, and be aligned to 4.
void ComputeLinePairsStride1(LinePairs& run);
void ComputeLinePairsStride2(LinePairs& run);

}  // namespace ota::engine::dsp
