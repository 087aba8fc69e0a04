// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Sampled functions for SOFTMAX on int16, in Q0.15, to be interpolated linearly.

namespace ota::engine {

constexpr uint32_t kSoftmaxTableSize = 513;

/// exp(x), x from -10 to 0.
extern const int16_t kExpTable[kSoftmaxTableSize];
/// 1 / (1 + x), x from 0 to 1.
extern const int16_t kReciprocalTable[kSoftmaxTableSize];

/// Value of a table at `position`, whose whole range is the domain.
constexpr int16_t Interpolate(const int16_t* table, int16_t position) {
  const int32_t index = 256 + (position >> 7);
  const int32_t offset = position & 0x7F;
  const int32_t slope = static_cast<int16_t>(table[index + 1] - table[index]);
  return static_cast<int16_t>(table[index] + ((slope * offset + 64) >> 7));
}

}  // namespace ota::engine
