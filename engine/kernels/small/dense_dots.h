// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ota::engine {

constexpr uint32_t kDotRows = 4;

/// Inputs and four rows of weights, in whole groups of four taps, at least one. Field offsets are
/// known to the assembly.
struct DenseDots {
  const int8_t* input;
  const uint8_t* row;    ///< the first one
  uint32_t row_step;     ///< bytes from row to row
  uint32_t zero_points;  ///< negative, as halves
  const int8_t* input_end;
  int32_t sums[kDotRows];
};
static_assert(sizeof(void*) != 4 || offsetof(DenseDots, sums) == 20);

/// Sets each sum to the dot product of the inputs, less their zero point, and its row.
void ComputeDenseDots(DenseDots& dots);

}  // namespace ota::engine
