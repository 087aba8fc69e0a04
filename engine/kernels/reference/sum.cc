// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/sum.h"

namespace ota::engine {

void ReferenceSumRowS8(const SumS8& sum, const SumRowS8& row) {
  const auto scale = [&sum](int32_t value, uint32_t input) {
    const int32_t shifted = WrappingShiftLeft(value - sum.zero_points[input], kSumShiftS8);
    return Requantize(shifted, sum.multipliers[input], sum.rounding);
  };
  for (uint32_t i = 0; i < row.count; ++i) {
    const int32_t first = scale(row.first[i * row.first_step], 0);
    const int32_t second = scale(row.second[i * row.second_step], 1);
    const int32_t both =
        sum.is_difference ? WrappingSubtract(first, second) : WrappingAdd(first, second);
    const int32_t scaled = Requantize(both, sum.multipliers[2], sum.rounding);
    const int32_t result = WrappingAdd(scaled, sum.zero_points[2]);
    row.output[i] = static_cast<int8_t>(std::clamp(result, sum.lowest, sum.highest));
  }
}

}  // namespace ota::engine
