// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ota::engine::dsp {

/// Taps that go through rows at a time.
constexpr uint32_t kRowGroupTaps = 8;

/// Rows that may go together.
constexpr uint32_t kRowsTogether = 4;

/// Widens inputs less the zero point, to kQuadTapBytes at most (dsp.h), `group_count` groups of
/// eight.
void WidenRow(const int8_t* input, uint32_t group_count, int32_t zero_point, uint32_t* target);

/// Widened inputs and rows of weights. Field offsets are known to the assembly.
struct DotRun {
  const uint32_t* inputs;
  uint32_t group_count;  ///< of eight taps; at least one
  const uint8_t* row;    ///< of the first sum, of any alignment
  uint32_t row_bytes;    ///< from row to row
  int32_t* sums;         ///< at least one; room for a multiple of kRowsTogether
  int32_t* sums_end;
  const uint8_t* last_row;
};
static_assert(sizeof(void*) != 4 || offsetof(DotRun, last_row) == 24);

/// Adds to each sum the dot product of the inputs and its row. Changes the run, and may change the
/// room behind the sums.
void DotRows(DotRun& run);

}  // namespace ota::engine::dsp
