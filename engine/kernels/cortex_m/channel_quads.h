// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv_layout.h"

namespace ota::engine::dsp {

/// What turns a sum into a result (fast_term.h). Field order is known to the assembly.
struct ChannelQuadTerm {
  int32_t multiplier;
  int32_t shift;
  int32_t rounding;
};

/// A part of a window that lies together in the input, or in the padding. Field order is known to
/// the assembly.
struct QuadPiece {
  const int8_t* at;
  uint32_t group_count;  ///< groups of four taps, at least one
  uint32_t step;         ///< bytes to the next pixel's
};

/// A run of pixels through four output channels, whose widened weights lie as the windows of four
/// pixels otherwise do (pixel_quads.h). Windows are read where they lie. Field offsets are known to
/// the assembly.
struct ChannelQuads {
  const uint32_t* values;  ///< widened weights
  QuadPiece* pieces;       ///< of the first window; those of one window are all of its taps
  const QuadPiece* pieces_end;
  int8_t* output;            ///< first pixel
  uint32_t output_step;      ///< bytes from pixel to pixel
  const int8_t* output_end;  ///< where `output` is behind the last pixel; at least one comes
  ChannelQuadTerm terms[4];
  uint32_t offsets[4];  ///< of the channels, from `output`; stored to in this order
  int32_t biases[4];
};
static_assert(sizeof(void*) != 4 ||
              (offsetof(ChannelQuads, offsets) == 72 && offsetof(ChannelQuads, biases) == 88));

/// Computes all pixels, requantizes and stores the results as saturated to int8. Changes the pieces
/// and `output`.
void ComputeChannelQuads(ChannelQuads& run);

/// Adds the dot products of one pixel to the sums of the four channels, and moves its pieces on.
void SumChannelQuad(const ChannelQuads& run, int32_t* sums);

/// Widens weights of one channel to every fourth value from `values` on; returns their sum.
/// `tap_count` is a multiple of four, and not 0.
int32_t WidenChannel(const uint8_t* weights, uint32_t tap_count, uint32_t* values);

}  // namespace ota::engine::dsp
