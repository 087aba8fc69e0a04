// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/exact_real.h"
#include "engine/kernels/host/vectors.h"
#include "engine/plan.h"

// The exact cheap form of requantization in double rounding. With a right shift e from 1 on,
//   high = (x m + 2^30) >> 31
//   y = (high + (high >> 31) + 2^(e-1) + (zero_point << e)) >> e
// is MultiplyByQuantizedMultiplier(x, m, -e) + zero_point, as long as nothing overflows: |x| is
// below 2^30, so |high| is too, and e up to 20 keeps the other terms below 2^28.

namespace ota::engine::host {

inline constexpr int32_t kCheapShiftMax = 20;
inline constexpr int64_t kCheapSumLimit = int64_t{1} << 30;

struct CheapForm {
  int32_t multiplier;
  int32_t rounding;  ///< 2^(shift - 1) + (zero point << shift)
  int32_t shift;
};

/// Whether the form is exact for numbers below `limit` in magnitude.
inline bool HasCheapForm(const Multiplier& multiplier, int64_t limit, RoundingMode rounding) {
  if (rounding != RoundingMode::kDouble || limit >= kCheapSumLimit) return false;
  return multiplier.value == 0 || (multiplier.shift <= -1 && multiplier.shift >= -kCheapShiftMax);
}

inline CheapForm MakeCheapForm(const Multiplier& multiplier, int32_t zero_point) {
  const int32_t shift = multiplier.value == 0 ? 1 : -multiplier.shift;
  return {multiplier.value, (1 << (shift - 1)) + zero_point * (1 << shift), shift};
}

OTA_VECTOR_PART int32_t ComputeHigh(int32_t value, int32_t multiplier) {
  const auto product = static_cast<uint64_t>(int64_t{value} * multiplier);
  return static_cast<int32_t>((product + (1u << 30)) >> 31);
}

OTA_VECTOR_PART int32_t FinishCheap(int32_t high, int32_t rounding, int32_t shift) {
  return (high + (high >> 31) + rounding) >> shift;
}

}  // namespace ota::engine::host
