// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv.h"

namespace ota::engine::dsp {

/// The windows of four pixels through some output channels: each weight is loaded and widened once,
/// and used for four pixels. How widened values lie is the implementation's: that of cores with the
/// DSP extension keeps halves, that of others words.
///
/// Terms are in the cheap form (fast_term.h): `multiplier.value` is 2 m - 2^32, `multiplier.shift`
/// the right shift. Field offsets are known to the assembly.
struct PixelQuads {
  const uint32_t* values;  ///< widened windows
  uint32_t group_count;    ///< whole groups of four taps
  const uint8_t* weights;  ///< of the first channel; those of the next follow
  uint32_t rest;           ///< taps behind the groups
  const ChannelTermS8* terms;
  int32_t rounding_unit;     ///< 2 * output zero point + 1
  int8_t* output;            ///< first channel of the first pixel
  uint32_t output_step;      ///< bytes from pixel to pixel
  const int8_t* output_end;  ///< where `output` is behind the last channel; at least one comes
};
static_assert(sizeof(void*) != 4 || offsetof(PixelQuads, output_end) == 32);

/// Bytes of a widened tap of one pixel.
extern const uint32_t kQuadTapBytes;

/// Computes all channels, requantizes and stores the results as saturated to int8. Changes
/// `weights`, `terms` and `output`.
void ComputePixelQuads(PixelQuads& run);

/// Adds the dot products of one channel to the sums of the four pixels.
void SumPixelQuad(const uint32_t* values, const uint8_t* weights, uint32_t tap_count,
                  int32_t* sums);

/// Rows of the windows of four pixels. Field offsets are known to the assembly.
struct QuadSources {
  const int8_t* pixels[4];
  uint32_t group_count;  ///< groups of four taps in a row, at least one
  uint32_t row_count;
  int32_t row_steps[4];  ///< bytes from the end of a row to the next
};
static_assert(sizeof(void*) != 4 || offsetof(QuadSources, row_steps) == 24);

/// Widens the taps, less the zero point; returns where the next group belongs.
uint32_t* WidenPixelQuad(const QuadSources& sources, int32_t zero_point, uint32_t* target);

}  // namespace ota::engine::dsp
