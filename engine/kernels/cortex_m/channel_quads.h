// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"

namespace ota::engine::dsp {

/// What turns a sum into a result (fast_term.h). Field order is known to the assembly.
struct ChannelQuadTerm {
  int32_t multiplier;
  int32_t shift;
  int32_t rounding;
};

/// A run of pixels through four output channels, whose widened weights lie as the windows of four
/// pixels otherwise do (pixel_quads.h). Windows are read where they lie. Field offsets are known to
/// the assembly.
struct ChannelQuads {
  const uint32_t* values;    ///< widened weights
  uint32_t group_count;      ///< groups of four taps
  const int8_t* pixel;       ///< first window
  int32_t pixel_step;        ///< bytes from the end of a window to the next
  int8_t* output;            ///< first pixel
  uint32_t output_step;      ///< bytes from pixel to pixel
  const int8_t* output_end;  ///< where `output` is behind the last pixel; at least one comes
  ChannelQuadTerm terms[4];
  uint32_t offsets[4];  ///< of the channels, from `output`
  int32_t biases[4];
};
static_assert(sizeof(void*) != 4 ||
              (offsetof(ChannelQuads, offsets) == 76 && offsetof(ChannelQuads, biases) == 92));

/// Computes all pixels, requantizes and stores the results as saturated to int8. Changes `pixel`
/// and `output`.
void ComputeChannelQuads(ChannelQuads& run);

/// Whether a tile of few channels, begun as quads, is better done so: its windows lie together, and
/// need not be gathered again for each tile.
bool IsForChannelQuads(const ConvRows<ConvS8>& job, const QuadLayout& layout);

/// Computes rows of such a tile.
void ComputeChannelQuadRows(const ConvRows<ConvS8>& job, const QuadLayout& layout);

}  // namespace ota::engine::dsp
