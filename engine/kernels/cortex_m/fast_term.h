// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/exact_real.h"
#include "engine/kernels/conv.h"
#include "engine/kernels/cortex_m/dsp.h"
#include "engine/plan.h"

// The exact cheap form of requantization in double rounding. With a right shift e from 1 on,
//   high = x + ((x * (2 m - 2^32) + 2^31) >> 32)     which is x * m / 2^31 rounded half up, SMMLAR
//   y = (high + (high >> 31) + 2^(e-1) + (zero_point << e)) >> e
// is MultiplyByQuantizedMultiplier(x, m, -e) + zero_point for every x, as long as nothing
// overflows. That is proven where a term is made: |x| < 2^29, so |high| < 2^29; e <= 20 and
// |zero_point| <= 128 keep the other terms below 2^28. m lies in [2^30, 2^31), so 2 m - 2^32 is an
// int32.

namespace ota::engine::dsp {

inline constexpr int32_t kFastShiftMax = 20;
inline constexpr uint32_t kFastSumLimit = 1u << 29;

struct FastTerm {
  int32_t multiplier;  ///< 2 m - 2^32
  int32_t rounding;    ///< 2^(shift - 1) + (output zero point << shift)
  int32_t shift;
};

/// Whether the cheap form is exact for sums that stay below `sum_limit` in magnitude.
inline bool HasFastForm(const Multiplier& multiplier, uint32_t sum_limit, RoundingMode rounding) {
  return rounding == RoundingMode::kDouble && multiplier.shift <= -1 &&
         multiplier.shift >= -kFastShiftMax && multiplier.value >= (1 << 30) &&
         sum_limit < kFastSumLimit;
}

inline FastTerm MakeFastTerm(const Multiplier& multiplier, int32_t zero_point) {
  const int32_t shift = -multiplier.shift;
  return {static_cast<int32_t>(static_cast<uint32_t>(multiplier.value) << 1),
          (1 << (shift - 1)) + zero_point * (1 << shift), shift};
}

/// Of a channel whose term is kept as multiplier and shift; `rounding_unit` is 2 * zero point + 1.
inline FastTerm FastTermOf(const ChannelTermS8& term, int32_t rounding_unit) {
  const int32_t shift = term.multiplier.shift;
  return {term.multiplier.value, rounding_unit * (1 << (shift - 1)), shift};
}

/// To [-128, 127]. The limits of an activation are applied to that.
inline int32_t RequantizeFast(int32_t sum, const FastTerm& term) {
  const int32_t high = MultiplyHigh(sum, term.multiplier);
  return SaturateToByte((high + (high >> 31) + term.rounding) >> term.shift);
}

}  // namespace ota::engine::dsp
