// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/exact_real.h"
#include "engine/plan.h"

// From accumulators to results, as TensorFlow Lite's MultiplyByQuantizedMultiplier defines it, in
// both roundings. All are exact for every argument; sums and shifts wrap as two's complement does.

namespace ota::engine {

constexpr int32_t WrappingAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
constexpr int32_t WrappingSubtract(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}
constexpr int32_t WrappingMultiply(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}
constexpr int32_t WrappingShiftLeft(int32_t a, int32_t bits) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) << bits);
}

/// a * b / 2^31, rounded half up, saturated for the one product that does not fit.
constexpr int32_t MultiplyHighRounding(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return static_cast<int32_t>((int64_t{a} * b + (int64_t{1} << 30)) >> 31);
}

/// x / 2^exponent, rounded half away from zero. `exponent` in [0, 31].
constexpr int32_t ShiftRightRounding(int32_t x, int32_t exponent) {
  if (exponent == 0) return x;
  const auto mask = static_cast<int32_t>((uint32_t{1} << exponent) - 1);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

constexpr int32_t RequantizeDouble(int32_t x, Multiplier multiplier) {
  const int32_t left = std::max(multiplier.shift, 0);
  const int32_t right = std::max(-multiplier.shift, 0);
  const int32_t shifted = left > 31 ? 0 : WrappingShiftLeft(x, left);
  return ShiftRightRounding(MultiplyHighRounding(shifted, multiplier.value), right);
}

constexpr int32_t RequantizeSingle(int32_t x, Multiplier multiplier) {
  if (multiplier.shift > 30) multiplier = {INT32_MAX, 30};
  const int32_t shift = 31 - multiplier.shift;
  const int64_t product = int64_t{x} * multiplier.value;
  return static_cast<int32_t>(((product >> (shift - 1)) + 1) >> 1);
}

int32_t Requantize(int32_t x, const Multiplier& multiplier, RoundingMode rounding);

/// Of 64-bit accumulators (int16 activations); the same in both roundings.
constexpr int32_t Requantize64(int64_t x, Multiplier multiplier) {
  const int32_t reduced =
      multiplier.value < 0x7FFF0000 ? (multiplier.value + (1 << 15)) >> 16 : 0x7FFF;
  const int32_t shift = std::clamp(15 - multiplier.shift, 1, 62);
  const auto product =
      static_cast<int64_t>(static_cast<uint64_t>(x) * static_cast<uint64_t>(int64_t{reduced}));
  const auto rounded =
      static_cast<int64_t>(static_cast<uint64_t>(product) + (uint64_t{1} << (shift - 1)));
  return static_cast<int32_t>(rounded >> shift);
}

}  // namespace ota::engine
