// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::engine::dsp {

/// Taps that go through rows at a time.
constexpr uint32_t kRowGroupTaps = 8;

/// Bytes of a widened input.
extern const uint32_t kRowTapBytes;

/// Widens inputs less the zero point, `group_count` groups of eight.
void WidenRow(const int8_t* input, uint32_t group_count, int32_t zero_point, uint32_t* target);

/// Adds to each of four sums the dot product of widened inputs and one row of weights, of any
/// alignment; rows may be the same. At least one group.
void DotRowQuad(const uint32_t* inputs, const uint8_t* const rows[4], uint32_t group_count,
                int32_t* sums);

}  // namespace ota::engine::dsp
