// SPDX-License-Identifier: Apache-2.0
// On a host through the emulated instructions of dsp.h. On emulated boards whole models run through
// the same kernels (firmware/).
#include <gmock/gmock.h>

#include "engine/kernels/kernels_test.h"
#include "engine/kernels/sum.h"

namespace ota::engine {
namespace {

TEST(CortexMKernels, ConvolutionsEqualTheReference) {
  ExpectConvolutionsEqualTheReference(ConvTileChannelsS8);
}

TEST(CortexMKernels, DepthwiseConvolutionsEqualTheReference) {
  ExpectDepthwiseConvolutionsEqualTheReference(DepthwiseTileChannelsS8);
}

TEST(CortexMKernels, FullyConnectedEqualsTheReference) { ExpectFullyConnectedEqualsTheReference(); }

/// Multipliers as ADD and SUB have them: one half for the larger scale, at most that for the other.
SumS8 RandomSum(Prng& prng) {
  SumS8 sum;
  const auto value = [&prng] {
    return static_cast<int32_t>((1u << 30) + prng.NextBelow(1u << 30));
  };
  sum.multipliers[0] = {1 << 30, 0};
  sum.multipliers[1] = {value(), -static_cast<int32_t>(prng.NextBelow(12))};
  if (prng.NextBelow(2) == 0) std::swap(sum.multipliers[0], sum.multipliers[1]);
  sum.multipliers[2] = {value(), -static_cast<int32_t>(Pick(prng, 15, 22))};
  for (int32_t& zero_point : sum.zero_points) {
    zero_point = static_cast<int32_t>(prng.NextBelow(256)) - 128;
  }
  sum.lowest = prng.NextBelow(2) == 0 ? -128 : sum.zero_points[2];
  sum.highest = 127;
  sum.is_difference = prng.NextBelow(2) == 0;
  sum.rounding = prng.NextBelow(4) == 0 ? RoundingMode::kSingle : RoundingMode::kDouble;
  return sum;
}

TEST(CortexMKernels, SumsEqualTheReference) {
  Prng prng(11);
  for (int round = 0; round < kKernelRounds; ++round) {
    const SumS8 sum = RandomSum(prng);
    int8_t first[50], second[50], output[50], expected[50];
    for (int8_t& value : first) value = static_cast<int8_t>(prng.Next());
    for (int8_t& value : second) value = static_cast<int8_t>(prng.Next());
    SumRowS8 row = {first, second, output, prng.NextBelow(2), prng.NextBelow(2), 50};
    ComputeSumRowS8(sum, row);
    row.output = expected;
    ReferenceSumRowS8(sum, row);
    ASSERT_THAT(output, testing::ElementsAreArray(expected)) << "round " << round;
  }
}

}  // namespace
}  // namespace ota::engine
