// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/sigmoid_s16.h"

#include <array>

namespace ota::engine {
namespace {

constexpr uint32_t kTableEntries = 256;

/// e^-x for x in [0, 11], computed by the compiler.
constexpr double ComputeExpOfNegative(double x) {
  double term = 1;
  double sum = 1;
  const double part = x / 16;  // the series of a small number, then its sixteenth power
  for (int n = 1; n < 30; ++n) {
    term *= part / n;
    sum += term;
  }
  for (int n = 0; n < 4; ++n) sum *= sum;
  return 1 / sum;
}

/// 65536 sigmoid(i / 24).
constexpr double ComputeSigmoid(double i) { return 65536 / (1 + ComputeExpOfNegative(i / 24)); }

/// Entries lie above the curve by half of what the chord to the next one misses in its middle,
/// which spreads the error of the interpolation evenly. The last one is 1.
constexpr auto kSigmoidTable = [] {
  std::array<uint16_t, kTableEntries> table{};
  for (uint32_t i = 0; i + 1 < kTableEntries; ++i) {
    const double chord = (ComputeSigmoid(i) + ComputeSigmoid(i + 1)) / 2;
    const double missed = ComputeSigmoid(i + 0.5) - chord;
    table[i] = static_cast<uint16_t>(ComputeSigmoid(i) + missed / 2 + 0.5);
  }
  table[kTableEntries - 1] = UINT16_MAX;
  return table;
}();

uint32_t Magnitude(int32_t x) {
  return x < 0 ? 0u - static_cast<uint32_t>(x) : static_cast<uint32_t>(x);
}

/// The table at `magnitude` >> `bits`, between its entries a straight line; `bits` more fraction
/// bits.
uint32_t Interpolate(uint32_t magnitude, uint32_t bits, uint32_t saturated) {
  const uint32_t index = magnitude >> bits;
  if (index >= kTableEntries - 1) return saturated;
  const uint32_t fraction = magnitude & ((1u << bits) - 1);
  const uint32_t rise = uint32_t{kSigmoidTable[index + 1]} - kSigmoidTable[index];
  return (uint32_t{kSigmoidTable[index]} << bits) + fraction * rise;
}

// The factor 3 of the scale makes 1/24 of 512/4096: the table reaches to 10.6.
int32_t Scale(int16_t x, SigmoidScale scale) {
  const int32_t round = scale.shift > 0 ? 1 << (scale.shift - 1) : 0;
  return (x * scale.multiplier + round) >> scale.shift;
}

}  // namespace

int16_t SigmoidS16(int16_t x, SigmoidScale scale) {
  const int32_t scaled = Scale(x, scale);
  const uint32_t value = Interpolate(Magnitude(scaled), 9, 0x7FFFu << 10);
  const uint32_t result = scaled >= 0 ? value + (1u << 9) : (1u << 25) - value + (1u << 9) - 1;
  return static_cast<int16_t>(result >> 10);
}

int16_t TanhS16(int16_t x, SigmoidScale scale) {
  const int32_t scaled = Scale(x, scale);
  // tanh(x) = 2 sigmoid(2x) - 1.
  const auto value = static_cast<int32_t>(Interpolate(Magnitude(scaled), 8, 0xFFFFu << 8));
  const int32_t result =
      scaled >= 0 ? value - (1 << 23) + (1 << 7) : -value + (1 << 23) + (1 << 7) - 1;
  return static_cast<int16_t>(result >> 8);
}

}  // namespace ota::engine
