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
  if (biased == 0) return FromQuotient(fraction, false, -149);
  return FromQuotient(fraction | 0x800000, false, biased - 150);
}

ExactReal ExactReal::FromInteger(uint32_t value) { return FromQuotient(value, false, 0); }

ExactReal ExactReal::FromQuotient(uint64_t quotient, bool has_rest, int32_t exponent) {
  if (quotient == 0) return {};
  constexpr uint32_t kDroppedBits = 64 - kMantissaBits;
  constexpr uint32_t kHalf = 1u << (kDroppedBits - 1);
  const int32_t zeros = std::countl_zero(quotient);
  quotient <<= zeros;
  exponent += static_cast<int32_t>(kDroppedBits) - zeros;
  uint64_t mantissa = quotient >> kDroppedBits;
  const uint32_t below = static_cast<uint32_t>(quotient) & (2 * kHalf - 1);
  const bool is_odd = (static_cast<uint32_t>(mantissa) & 1) != 0;
  if (below > kHalf || (below == kHalf && (has_rest || is_odd))) ++mantissa;
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
  // The product has 105 or 106 bits: the upper 63 or 64 of them are enough.
  constexpr int32_t kKeptBits = 22;
  const uint64_t lower = (cross << 32) | (low & 0xFFFFFFFF);
  return FromQuotient((high << kKeptBits) | (lower >> (64 - kKeptBits)), lower << kKeptBits != 0,
                      exponent_ + other.exponent_ + 64 - kKeptBits);
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
  return FromQuotient(quotient, remainder != 0, exponent_ - other.exponent_ - kQuotientBits);
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

// value = mantissa * 2^exponent; the mantissa has bit 23 set, or is zero.
struct FloatParts {
  uint32_t mantissa;
  int32_t exponent;
};

FloatParts SplitFloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t fraction = bits & 0x7FFFFF;
  const auto biased = static_cast<int32_t>((bits >> 23) & 0xFF);
  if (biased != 0) return {fraction | 0x800000, biased - 150};
  const int32_t zeros = fraction == 0 ? 0 : std::countl_zero(fraction) - 8;
  return {fraction << zeros, -149 - zeros};
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

Multiplier ComputeMultiplier(float first, float second, float divisor, int32_t power) {
  const FloatParts a = SplitFloat(first), b = SplitFloat(second), c = SplitFloat(divisor);
  const uint64_t product = uint64_t{a.mantissa} * b.mantissa;
  if (product == 0) return {};
  // product * 2^32 / divisor has 55 to 57 bits, of which 31 are kept.
  auto remainder = static_cast<uint32_t>(product >> 32);  // has 16 bits, less than the divisor
  const uint32_t high = DivideStep(static_cast<uint32_t>(product), c.mantissa, remainder);
  const uint32_t low = DivideStep(0, c.mantissa, remainder);
  const int32_t zeros = std::countl_zero(high);
  const uint32_t kept = (high << zeros) | (low >> (32 - zeros));
  // Rounded to a double first: that brings what is so close below one half up to it.
  constexpr uint32_t kAlmostHalf = 0xFFFFFC00;
  const bool is_half = (kept & 1) != 0 || low << zeros >= kAlmostHalf;
  uint32_t fixed = (kept >> 1) + (is_half ? 1 : 0);
  int32_t shift = a.exponent + b.exponent - c.exponent + power + 32 - zeros;
  if (fixed == uint32_t{1} << 31) {
    fixed >>= 1;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<int32_t>(fixed), shift};
}

Multiplier ComputeChannelMultiplier(float input_scale, float weight_scale, float output_scale) {
  return ComputeMultiplier(input_scale, weight_scale, output_scale);
}

}  // namespace ota::engine
