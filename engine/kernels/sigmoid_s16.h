// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// The logistic function and the hyperbolic tangent of 16-bit fixed point by a table of 256 entries
// and interpolation, with the results of TensorFlow Lite's reference kernels bit for bit.

namespace ota::engine {

/// Brings an input to a scale of 1 / (3 * 4096), at which the table is read: times the multiplier,
/// then a rounding shift to the right. Below 2^15 and at most 31.
struct SigmoidScale {
  int32_t multiplier = 3;
  int32_t shift = 0;
};

/// `scale_power`: log2 of the input's scale, in [-27, -1].
constexpr SigmoidScale MakeSigmoidScale(int32_t scale_power) {
  const int32_t left = 12 + scale_power;
  return left >= 0 ? SigmoidScale{3 << left, 0} : SigmoidScale{3, -left};
}

/// Logistic function of `x`, which without a scale has 12 fraction bits; the result has 15.
int16_t SigmoidS16(int16_t x, SigmoidScale scale = {});

/// Hyperbolic tangent, likewise.
int16_t TanhS16(int16_t x, SigmoidScale scale = {});

}  // namespace ota::engine
