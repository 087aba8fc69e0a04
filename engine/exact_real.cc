// SPDX-License-Identifier: Apache-2.0
#include "engine/exact_real.h"

#include <bit>

namespace ota::engine {

namespace {

constexpr int32_t kMantissaBits = 53;

}  // namespace

ExactReal ExactReal::FromFloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t fraction = bits & 0x7FFFFF;
  const auto biased = static_cast<int32_t>((bits >> 23) & 0xFF);
  if (biased == 0) return Round(0, fraction, false, -149);
  return Round(0, fraction | 0x800000, false, biased - 150);
}

ExactReal ExactReal::FromInteger(uint32_t value) { return Round(0, value, false, 0); }

ExactReal ExactReal::Round(uint64_t high, uint64_t low, bool sticky, int32_t exponent) {
  if (high == 0 && low == 0) return {};
  const int32_t zeros = high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(low);
  // Normalizes to bit 63 of `high`.
  if (zeros >= 64) {
    high = low << (zeros - 64);
    low = 0;
  } else if (zeros > 0) {
    high = (high << zeros) | (low >> (64 - zeros));
    low <<= zeros;
  }
  exponent += 64 - zeros + (64 - kMantissaBits);
  constexpr uint64_t kBelow = (uint64_t{1} << (64 - kMantissaBits)) - 1;
  constexpr uint64_t kHalf = uint64_t{1} << (63 - kMantissaBits);
  uint64_t mantissa = high >> (64 - kMantissaBits);
  const uint64_t below = high & kBelow;
  const bool is_inexact = sticky || low != 0;
  const bool is_above_half = below > kHalf || (below == kHalf && is_inexact);
  const bool is_half = below == kHalf && !is_inexact;
  if (is_above_half || (is_half && (mantissa & 1) != 0)) ++mantissa;
  if (mantissa >> kMantissaBits != 0) {
    mantissa >>= 1;
    ++exponent;
  }
  return {mantissa, exponent};
}

ExactReal ExactReal::Times(const ExactReal& other) const {
  const uint64_t a_low = mantissa_ & 0xFFFFFFFF;
  const uint64_t a_high = mantissa_ >> 32;
  const uint64_t b_low = other.mantissa_ & 0xFFFFFFFF;
  const uint64_t b_high = other.mantissa_ >> 32;
  const uint64_t low = a_low * b_low;
  const uint64_t middle = a_high * b_low + (low >> 32);
  const uint64_t cross = a_low * b_high + (middle & 0xFFFFFFFF);
  const uint64_t high = a_high * b_high + (middle >> 32) + (cross >> 32);
  return Round(high, (cross << 32) | (low & 0xFFFFFFFF), false, exponent_ + other.exponent_);
}

ExactReal ExactReal::DividedBy(const ExactReal& other) const {
  if (mantissa_ == 0) return {};
  // Both mantissas have bit 52 set, so the quotient lies in (1/2, 2); 56 bits of it are enough.
  constexpr int32_t kQuotientBits = 56;
  uint64_t remainder = mantissa_;
  uint64_t quotient = 0;
  for (int32_t i = 0; i <= kQuotientBits; ++i) {
    quotient <<= 1;
    if (remainder >= other.mantissa_) {
      remainder -= other.mantissa_;
      quotient |= 1;
    }
    remainder <<= 1;
  }
  return Round(0, quotient, remainder != 0, exponent_ - other.exponent_ - kQuotientBits);
}

ExactReal ExactReal::Scaled(int32_t exponent) const {
  return mantissa_ == 0 ? ExactReal() : ExactReal(mantissa_, exponent_ + exponent);
}

bool ExactReal::IsLessThan(const ExactReal& other) const {
  if (mantissa_ == 0 || other.mantissa_ == 0) return mantissa_ == 0 && other.mantissa_ != 0;
  if (exponent_ != other.exponent_) return exponent_ < other.exponent_;
  return mantissa_ < other.mantissa_;
}

Multiplier QuantizeMultiplier(const ExactReal& real) {
  if (real.is_zero()) return {};
  // The fraction in [0.5, 1) times 2^31, rounded half away from zero.
  constexpr int32_t kDropped = kMantissaBits - 31;
  uint64_t fixed = (real.mantissa() + (uint64_t{1} << (kDropped - 1))) >> kDropped;
  int32_t shift = real.exponent() + kMantissaBits;
  if (fixed == uint64_t{1} << 31) {
    fixed >>= 1;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<int32_t>(fixed), shift};
}

namespace {

// Mantissa of a normal float, with its leading bit; and its exponent.
constexpr uint32_t NormalMantissa(uint32_t bits) { return (bits & 0x7FFFFF) | 0x800000; }
constexpr int32_t BiasedExponent(uint32_t bits) {
  return static_cast<int32_t>((bits >> 23) & 0xFF);
}

// One more word of a quotient, four steps of eight bits: the divisor has 24 bits, so that a step's
// dividend has 32. `next` is the dividend's next word, `remainder` below the divisor.
uint32_t DivideStep(uint32_t next, uint32_t divisor, uint32_t& remainder) {
  uint32_t quotient = 0;
  for (int32_t shift = 24; shift >= 0; shift -= 8) {
    const uint32_t dividend = (remainder << 8) | ((next >> shift) & 0xFF);
    const uint32_t digit = dividend / divisor;
    quotient = (quotient << 8) | digit;
    remainder = dividend - digit * divisor;
  }
  return quotient;
}

}  // namespace

Multiplier ComputeChannelMultiplier(float input_scale, float weight_scale, float output_scale) {
  const auto input = std::bit_cast<uint32_t>(input_scale);
  const auto weight = std::bit_cast<uint32_t>(weight_scale);
  const auto output = std::bit_cast<uint32_t>(output_scale);
  if (BiasedExponent(input) == 0 || BiasedExponent(weight) == 0 || BiasedExponent(output) == 0) {
    const ExactReal product =
        ExactReal::FromFloat(input_scale).Times(ExactReal::FromFloat(weight_scale));
    return QuantizeMultiplier(product.DividedBy(ExactReal::FromFloat(output_scale)));
  }
  // The same in fewer steps: product * 2^32 / divisor has 55 to 57 bits, all that rounding asks
  // for.
  const uint64_t product = uint64_t{NormalMantissa(input)} * NormalMantissa(weight);
  const uint32_t divisor = NormalMantissa(output);
  auto remainder = static_cast<uint32_t>(product >> 32);  // has 16 bits, less than the divisor
  const uint32_t high = DivideStep(static_cast<uint32_t>(product), divisor, remainder);
  const uint32_t low = DivideStep(0, divisor, remainder);
  const int32_t exponent =
      BiasedExponent(input) + BiasedExponent(weight) - BiasedExponent(output) - 150 - 32;
  return QuantizeMultiplier(
      ExactReal::FromQuotient((uint64_t{high} << 32) | low, remainder != 0, exponent));
}

}  // namespace ota::engine
