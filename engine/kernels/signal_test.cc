// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/signal.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "base/prng.h"

namespace ota::engine {
namespace {

std::vector<int16_t> MakeSamples(uint32_t count, uint32_t seed) {
  Prng prng(seed);
  std::vector<int16_t> samples(count);
  for (int16_t& sample : samples) sample = static_cast<int16_t>(prng.Next());
  return samples;
}

TEST(RealFft, IsTheFourierTransformWithinItsRounding) {
  for (uint32_t length = kFftLengthMin; length <= kFftLengthMax; length *= 2) {
    const std::vector<int16_t> samples = MakeSamples(length, length);
    std::vector<ComplexS16> scratch(length / 2);
    std::vector<ComplexS16> spectrum(length / 2 + 1);
    ComputeRealFft(samples.data(), length, length, scratch.data(), spectrum.data());
    for (uint32_t k = 0; k <= length / 2; ++k) {
      double real = 0;
      double imaginary = 0;
      for (uint32_t n = 0; n < length; ++n) {
        const double angle = 2 * M_PI * k * n / length;
        real += samples[n] * std::cos(angle) / length;
        imaginary -= samples[n] * std::sin(angle) / length;
      }
      ASSERT_NEAR(spectrum[k].real, real, 6) << "length " << length << " bin " << k;
      ASSERT_NEAR(spectrum[k].imaginary, imaginary, 6) << "length " << length << " bin " << k;
    }
  }
}

TEST(RealFft, TakesMissingSamplesAsZero) {
  std::vector<int16_t> samples = MakeSamples(512, 7);
  std::fill(samples.begin() + 480, samples.end(), int16_t{0});
  std::vector<ComplexS16> scratch(256);
  std::vector<ComplexS16> whole(257);
  std::vector<ComplexS16> padded(257);
  ComputeRealFft(samples.data(), 512, 512, scratch.data(), whole.data());
  ComputeRealFft(samples.data(), 480, 512, scratch.data(), padded.data());
  for (uint32_t k = 0; k < 257; ++k) {
    EXPECT_EQ(whole[k].real, padded[k].real);
    EXPECT_EQ(whole[k].imaginary, padded[k].imaginary);
  }
}

TEST(AutoScale, ShiftsTheLargestSampleToTheTopBitButOne) {
  const std::array<int16_t, 3> samples = {3, -100, 50};
  std::array<int16_t, 3> scaled = {};
  EXPECT_EQ(AutoScale(samples.data(), 3, scaled.data()), 8);
  EXPECT_EQ(scaled[1], -25600);
  const std::array<int16_t, 1> silent = {0};
  EXPECT_EQ(AutoScale(silent.data(), 1, scaled.data()), 0);
  EXPECT_EQ(scaled[0], 0);
}

TEST(ApplyWindow, Saturates) {
  const std::array<int16_t, 2> samples = {32767, -32768};
  const std::array<int16_t, 2> window = {32767, 32767};
  std::array<int16_t, 2> result = {};
  ApplyWindow(samples.data(), window.data(), 2, 12, result.data());
  EXPECT_EQ(result[0], INT16_MAX);
  EXPECT_EQ(result[1], INT16_MIN);
}

TEST(SquareRoot, RoundsToNearest) {
  EXPECT_EQ(ComputeSquareRoot(0), 0u);
  EXPECT_EQ(ComputeSquareRoot(0xFFFFFFFF), 0xFFFFu) << "below 2^32 it stays in 16 bits";
  EXPECT_EQ(ComputeSquareRoot(UINT64_MAX), 0xFFFFFFFFu);
  Prng prng(1);
  for (int i = 0; i < 10000; ++i) {
    const uint64_t value = (uint64_t{prng.Next()} << 32 | prng.Next()) >> (prng.Next() % 32);
    const double exact = std::sqrt(static_cast<double>(value));
    ASSERT_NEAR(static_cast<double>(ComputeSquareRoot(value)), exact, 0.5 + 1e-6 * exact) << value;
  }
}

TEST(Logarithm, FollowsTheNaturalLogarithm) {
  EXPECT_EQ(ComputeLogarithm(0, 1600, 3), 0);
  for (uint32_t value = 1; value < 500'000'000; value += value / 3 + 1) {
    const double exact = 1000 * std::log(static_cast<double>(value) * 8);
    EXPECT_NEAR(ComputeLogarithm(value, 1000, 3), exact, 2 + exact * 2e-4) << value;
  }
}

TEST(SubtractNoise, NeverFallsBelowTheFloor) {
  SpectralSubtraction settings{};
  settings.bits = 14;
  settings.smoothing[0] = settings.smoothing[1] = 1 << 13;
  settings.one_minus_smoothing[0] = settings.one_minus_smoothing[1] = 1 << 13;
  settings.min_signal_remaining = 819;  // 0.05
  std::array<uint32_t, 2> noise = {100'000, 0};
  const std::array<uint32_t, 2> input = {1000, 1000};
  std::array<uint32_t, 2> output = {};
  SubtractNoise(settings, input.data(), 2, output.data(), noise.data());
  EXPECT_EQ(output[0], 49u) << "all noise: the floor";
  EXPECT_EQ(output[1], 500u) << "half of it is new";
  EXPECT_EQ(noise[0], 50'500u);
}

}  // namespace
}  // namespace ota::engine
