// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::engine {

/// A non-negative real number with the 53 significant bits of an IEEE 754 double, in integers, so
/// that a core without double arithmetic gets the multipliers of requantization right to the bit:
/// every operation rounds to nearest, ties to even, as the standard asks. The exponent does not
/// overflow for anything made of a few float32 numbers.
class ExactReal {
 public:
  constexpr ExactReal() = default;
  /// The absolute value of `value`, which must be finite. Exact.
  static ExactReal FromFloat(float value);
  static ExactReal FromInteger(uint32_t value);
  /// quotient * 2^exponent, and a little more if `has_rest`, rounded. With a rest the quotient has
  /// 55 bits or more.
  static ExactReal FromQuotient(uint64_t quotient, bool has_rest, int32_t exponent);

  bool is_zero() const { return mantissa_ == 0; }
  ExactReal Times(const ExactReal& other) const;
  /// `other` must not be zero.
  ExactReal DividedBy(const ExactReal& other) const;
  /// Times 2^exponent. Exact.
  ExactReal Scaled(int32_t exponent) const;
  bool IsLessThan(const ExactReal& other) const;

  /// The number is mantissa() * 2^exponent(); the mantissa has bit 52 set, or is zero.
  uint64_t mantissa() const { return mantissa_; }
  int32_t exponent() const { return exponent_; }

 private:
  ExactReal(uint64_t mantissa, int32_t exponent) : mantissa_(mantissa), exponent_(exponent) {}

  uint64_t mantissa_ = 0;
  int32_t exponent_ = 0;
};

/// Multiplier of requantization: a number of 31 fraction bits in [0.5, 1), and a power of two.
struct Multiplier {
  int32_t value;
  int32_t shift;
};

/// As TensorFlow Lite's QuantizeMultiplier: numbers below 2^-32 become 0.
Multiplier QuantizeMultiplier(const ExactReal& real);

/// The same of first * second / divisor * 2^power in doubles. The divisor must not be zero.
Multiplier ComputeMultiplier(float first, float second, float divisor, int32_t power = 0);

/// input * weights / output with the products of doubles: the rule for a channel of convolutions.
Multiplier ComputeChannelMultiplier(float input_scale, float weight_scale, float output_scale);

}  // namespace ota::engine
