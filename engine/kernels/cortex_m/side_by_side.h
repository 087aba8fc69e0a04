// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/kernels/conv.h"

namespace ota::engine::dsp {

/// Channels of a depthwise convolution that lie side by side and are computed together.
constexpr uint32_t kChannelsTogether = 4;

/// The taps of a window that lie in the image, of inputs and of weights; at least one. Field
/// offsets are known to the assembly.
struct SideBySideTaps {
  uint32_t rows;
  uint32_t columns;
  int32_t row_step;     ///< from the end of a row to the next
  int32_t column_step;  ///< bytes
  uint32_t weight_row_step;
  uint32_t weight_step;
  uint32_t zero_points;  ///< negative, as halves
};
static_assert(offsetof(SideBySideTaps, zero_points) == 24);

/// Adds the products of four channels to their sums. One load brings a tap of all of them, or, of
/// one input channel, the tap that they share.
using AddTaps = void (*)(const SideBySideTaps& taps, const int8_t* at, const uint8_t* weights,
                         int32_t* sums);
void AddOwnTaps(const SideBySideTaps& taps, const int8_t* at, const uint8_t* weights,
                int32_t* sums);
void AddSharedTaps(const SideBySideTaps& taps, const int8_t* at, const uint8_t* weights,
                   int32_t* sums);

/// Whether the shape is such: each output channel has an input channel of its own, or all have one.
inline bool IsSideBySide(const WindowShape& shape) {
  return shape.input_channels == shape.output_channels || shape.input_channels == 1;
}

/// Computes rows of the first `count` channels of a tile, a multiple of kChannelsTogether, whose
/// terms were begun (quad_terms.h). `add_taps`: the one for the shape.
void ComputeSideBySide(const ConvRows<ConvS8>& job, uint32_t count, AddTaps add_taps);

}  // namespace ota::engine::dsp
