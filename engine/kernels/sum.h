// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/kernels/requantize.h"

// ADD and SUB in int8: both terms brought to twice the larger scale, with 20 more bits.

namespace ota::engine {

constexpr uint32_t kSumShiftS8 = 20;

/// Multipliers and zero points of the first term, of the second, and of the sum.
struct SumS8 {
  Multiplier multipliers[3];
  int32_t zero_points[3];
  int32_t lowest;
  int32_t highest;
  bool is_difference;
  RoundingMode rounding;
};

/// A row of elements; each input goes on by its step, 0 or 1. The output may be an input.
struct SumRowS8 {
  const int8_t* first;
  const int8_t* second;
  int8_t* output;
  uint32_t first_step;
  uint32_t second_step;
  uint32_t count;
};

/// The definition.
void ReferenceSumRowS8(const SumS8& sum, const SumRowS8& row);

/// The kernel of this target: the same results.
void ComputeSumRowS8(const SumS8& sum, const SumRowS8& row);

}  // namespace ota::engine
