// SPDX-License-Identifier: Apache-2.0
#include "engine/exact_real.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/prng.h"

namespace ota::engine {
namespace {

// The definition, in double arithmetic.
Multiplier QuantizeInDouble(double real) {
  if (real == 0.0) return {};
  int shift = 0;
  auto fixed = static_cast<int64_t>(std::round(std::frexp(real, &shift) * 2147483648.0));
  if (fixed == int64_t{1} << 31) {
    fixed /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<int32_t>(fixed), shift};
}

double ToDouble(const ExactReal& real) {
  return std::ldexp(static_cast<double>(real.mantissa()), real.exponent());
}

float RandomScale(Prng& prng) {
  const uint32_t exponent = 90 + prng.NextBelow(60);
  return std::bit_cast<float>((exponent << 23) | (prng.Next() & 0x7FFFFF));
}

TEST(ExactReal, EqualsDoubleArithmeticOnRandomScales) {
  Prng prng(7);
  for (int i = 0; i < 300000; ++i) {
    const float a = RandomScale(prng);
    const float b = RandomScale(prng);
    const float c = RandomScale(prng);
    const ExactReal product = ExactReal::FromFloat(a).Times(ExactReal::FromFloat(b));
    const ExactReal quotient = product.DividedBy(ExactReal::FromFloat(c));
    const double expected =
        static_cast<double>(a) * static_cast<double>(b) / static_cast<double>(c);
    ASSERT_EQ(ToDouble(quotient), expected) << "round " << i;
    const ExactReal square = quotient.Times(quotient);
    ASSERT_EQ(ToDouble(square), expected * expected) << "round " << i;
    ASSERT_EQ(ToDouble(square.DividedBy(quotient)), expected * expected / expected);
    ASSERT_EQ(product.IsLessThan(quotient), ToDouble(product) < expected);
  }
}

TEST(ExactReal, QuantizesMultipliersAsDoubleArithmeticDoes) {
  Prng prng(11);
  for (int i = 0; i < 300000; ++i) {
    const float a = RandomScale(prng);
    const float b = RandomScale(prng);
    const float c = RandomScale(prng);
    const Multiplier got = ComputeChannelMultiplier(a, b, c);
    const Multiplier expected =
        QuantizeInDouble(static_cast<double>(a) * static_cast<double>(b) / static_cast<double>(c));
    ASSERT_EQ(got.value, expected.value) << "round " << i;
    ASSERT_EQ(got.shift, expected.shift) << "round " << i;
  }
}

TEST(ExactReal, HandlesDenormalsAndZero) {
  EXPECT_TRUE(ExactReal::FromFloat(0.0f).is_zero());
  const float denormal = std::bit_cast<float>(uint32_t{3});
  EXPECT_EQ(ToDouble(ExactReal::FromFloat(denormal)), static_cast<double>(denormal));
  EXPECT_EQ(ToDouble(ExactReal::FromInteger(6).DividedBy(ExactReal::FromInteger(4))), 1.5);
  EXPECT_EQ(QuantizeMultiplier(ExactReal::FromFloat(1.0f)).shift, 1);
  EXPECT_EQ(QuantizeMultiplier(ExactReal::FromFloat(1e-20f)).value, 0);
}

}  // namespace
}  // namespace ota::engine
