// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/fixed_point.h"

#include <bit>

#include "engine/kernels/requantize.h"

namespace ota::engine {

namespace {

constexpr int32_t kOneQ0 = INT32_MAX;
constexpr int32_t kOneQ2 = 1 << 29;

// a * 2^exponent, saturated.
int32_t ShiftLeftSaturating(int32_t a, int32_t exponent) {
  const int32_t limit = INT32_MAX >> exponent;
  if (a > limit) return INT32_MAX;
  if (a < -limit - 1) return INT32_MIN;
  return WrappingShiftLeft(a, exponent);
}

// exp(a) for a in [-1/4, 0) in Q0.31: Taylor series around -1/8.
int32_t ComputeExpOfQuarter(int32_t a) {
  constexpr int32_t kExpOfMinusEighth = 1895147668;
  constexpr int32_t kThird = 715827883;
  const int32_t x = a + (1 << 28);
  const int32_t x2 = MultiplyHighRounding(x, x);
  const int32_t x3 = MultiplyHighRounding(x2, x);
  const int32_t x4 = MultiplyHighRounding(x2, x2);
  const int32_t high_terms = MultiplyHighRounding(ShiftRightRounding(x4, 2) + x3, kThird) + x2;
  const int32_t series = x + ShiftRightRounding(high_terms, 1);
  return kExpOfMinusEighth + MultiplyHighRounding(kExpOfMinusEighth, series);
}

// Newton's steps towards 1 / ((1 + a) / 2) of a >= 0, in Q2.29.
int32_t ComputeHalfReciprocal(int32_t a) {
  constexpr int32_t k48Over17 = 1515870810;
  constexpr int32_t kMinus32Over17 = -1010580540;
  const auto half_denominator =
      static_cast<int32_t>((static_cast<uint32_t>(a) + (uint32_t{1} << 31)) / 2);
  int32_t x = k48Over17 + MultiplyHighRounding(half_denominator, kMinus32Over17);
  for (int32_t step = 0; step < 3; ++step) {
    const int32_t error = kOneQ2 - MultiplyHighRounding(half_denominator, x);
    x = WrappingAdd(x, ShiftLeftSaturating(MultiplyHighRounding(x, error), 2));
  }
  return x;
}

}  // namespace

int32_t ComputeExpOfNegative(int32_t a, int32_t integer_bits) {
  // exp(-2^k) for k = -2, -1, 0, 1, 2, 3, 4.
  static constexpr int32_t kPowers[] = {1672461947, 1302514674, 790015084, 290630308,
                                        39332535,   720401,     242};
  if (a == 0) return kOneQ0;
  const int32_t fraction_bits = 31 - integer_bits;
  const int32_t quarter = 1 << (fraction_bits - 2);
  const int32_t within = (a & (quarter - 1)) - quarter;
  int32_t result = ComputeExpOfQuarter(WrappingShiftLeft(within, integer_bits));
  const int32_t rest = WrappingSubtract(within, a);
  for (int32_t k = -2; k < integer_bits && k <= 4; ++k) {
    const uint32_t bit = uint32_t{1} << (fraction_bits + k);
    if ((static_cast<uint32_t>(rest) & bit) != 0) {
      result = MultiplyHighRounding(result, kPowers[k + 2]);
    }
  }
  return result;
}

int32_t ComputeReciprocalOfOnePlus(int32_t a) {
  return ShiftLeftSaturating(ComputeHalfReciprocal(a), 1);
}

int32_t ComputeLogistic(int32_t a, int32_t integer_bits) {
  if (a == 0) return 1 << 30;
  const int32_t negative = a > 0 ? -a : a;
  const int32_t positive_result =
      ComputeReciprocalOfOnePlus(ComputeExpOfNegative(negative, integer_bits));
  return a > 0 ? positive_result : kOneQ0 - positive_result;
}

int32_t ComputeTanh(int32_t a, int32_t integer_bits) {
  if (a == 0) return 0;
  const int32_t negative = a > 0 ? -a : a;
  const int32_t x = ComputeHalfReciprocal(ComputeExpOfNegative(negative, integer_bits + 1));
  const int32_t result = ShiftLeftSaturating(x - kOneQ2, 2);
  return a > 0 ? result : -result;
}

Reciprocal ComputeReciprocal(int32_t x, int32_t integer_bits) {
  const int32_t headroom = std::countl_zero(static_cast<uint32_t>(x));
  const uint32_t fraction = (static_cast<uint32_t>(x) << headroom) - (uint32_t{1} << 31);
  return {ComputeReciprocalOfOnePlus(static_cast<int32_t>(fraction)), integer_bits - headroom};
}

}  // namespace ota::engine
