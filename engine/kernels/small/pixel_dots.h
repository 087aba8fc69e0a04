// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/kernels/cortex_m/pixel_quads.h"

namespace ota::engine {

/// Pixels whose windows go through a channel together, and halves of a group of four taps: of each
/// pixel taps 0 and 2, then of each pixel taps 1 and 3.
constexpr uint32_t kDotPixels = 4;
constexpr uint32_t kDotGroupHalves = 16;

/// Where tap `tap` of a pixel belongs among the halves.
constexpr uint32_t DotHalfIndex(uint32_t tap, uint32_t pixel) {
  return tap / 4 * kDotGroupHalves + (tap & 1) * 8 + pixel * 2 + (tap >> 1 & 1);
}

/// Adds the products of `group_count` groups of four taps, at least one, to the sums of the pixels.
void AddPixelDots(const int16_t* values, const uint8_t* weights, uint32_t group_count,
                  int32_t* sums);

/// As ComputePixelQuads, of values that lie so.
void ComputePixelDots(dsp::PixelQuads& run);

}  // namespace ota::engine
