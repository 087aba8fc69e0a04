// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine::dsp {

/// A run of pixels of one output row, two output channels wide, from windows that lie in memory row
/// by row. Two pixels with two channels at once: each value that is loaded and widened is used
/// twice, 16 instructions for 16 products. Field offsets are known to the assembly.
struct PixelPairs {
  const int8_t* pixel;      ///< first window
  const uint32_t* weights;  ///< per group of four taps: (w0, w2), (w1, w3) of channel 0, then of 1
  int32_t pixel_step;       ///< bytes from pixel to pixel
  uint32_t row_count;       ///< rows of the window
  uint32_t group_count;     ///< groups of four taps in a row, at least one
  int32_t bias[2];
  int8_t* output;
  int32_t output_step;  ///< bytes from pixel to pixel
  FastTerm terms[2];
  int8_t* output_end;  ///< where `output` is when the run is done
  uint32_t row_step;   ///< bytes from the end of a window's row to its next
};
static_assert(sizeof(void*) != 4 || offsetof(PixelPairs, row_step) == 64);

/// Computes the run, whose length is even: output_end - output is a multiple of twice the step, and
/// not zero. Stores channel 0 at the output, channel 1 behind it. Sums must keep to the terms'
/// limits.
void ComputePixelPairs(PixelPairs& run);

}  // namespace ota::engine::dsp
