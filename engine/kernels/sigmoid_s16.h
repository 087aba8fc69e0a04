// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// The logistic function and the hyperbolic tangent of 16-bit fixed point by a table of 256 entries
// and interpolation, with the results of TensorFlow Lite's reference kernels bit for bit.

namespace ota::engine {

/// Logistic function of `x` with 12 fraction bits; the result has 15.
int16_t SigmoidS16(int16_t x);

/// Turns the scale of a tanh's input, 2^-(12 + shift)... 2^-(12 - shift), into what TanhS16 needs.
struct TanhScale {
  int32_t multiplier;
  int32_t shift;
};

/// `scale_power`: log2 of the input's scale, in [-27, -1].
constexpr TanhScale MakeTanhScale(int32_t scale_power) {
  const int32_t left = 12 + scale_power;
  return left >= 0 ? TanhScale{3 << left, 0} : TanhScale{3, -left};
}

/// Hyperbolic tangent; the result has 15 fraction bits.
int16_t TanhS16(int16_t x, TanhScale scale);

}  // namespace ota::engine
