// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/overwrite_array.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

namespace ota::simulator {
namespace {

constexpr OverwriteTraits kPages = {.size_bytes = 4096, .unit_bytes = 64, .endurance = 100};

using Page = std::array<uint8_t, 64>;

Page Filled(uint8_t value) {
  Page page;
  page.fill(value);
  return page;
}

TEST(OverwriteArray, FailsAtTheEndOfItsLife) {
  PowerSupply power;
  OverwriteArray array(kPages, power);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(array.Write(64, Filled(1)), Status::kOk);
  EXPECT_EQ(array.Write(64, Filled(1)), Status::kMediumFailed);
  EXPECT_EQ(array.Write(0, Filled(1)), Status::kOk);
  EXPECT_EQ(array.wear(0), 1u);
}

TEST(OverwriteArray, ReadsWearAFram) {
  PowerSupply power;
  OverwriteTraits traits = kPages;
  traits.reads_wear = true;
  OverwriteArray array(traits, power);
  std::array<uint8_t, 65> bytes;
  ASSERT_EQ(array.Read(63, bytes), Status::kOk);
  EXPECT_EQ(array.wear(0), 1u);
  EXPECT_EQ(array.wear(1), 1u);
  EXPECT_EQ(array.wear(2), 0u);
}

TEST(OverwriteArray, BadUnitsFailLoudlyOrSilently) {
  PowerSupply power;
  OverwriteArray array(kPages, power);
  array.MarkBad(1);
  array.MarkBad(2, BadUnit::kSilent);
  EXPECT_EQ(array.Write(64, Filled(1)), Status::kMediumFailed);
  EXPECT_EQ(array.Write(128, Filled(1)), Status::kOk);
  EXPECT_EQ(array.bytes()[128], 0) << "it only said so";
}

TEST(OverwriteArray, InjectsBitFlipsAndReadErrors) {
  PowerSupply power;
  OverwriteArray array(kPages, power);
  array.FlipBit(70, 3);
  std::array<uint8_t, 1> byte;
  ASSERT_EQ(array.Read(70, byte), Status::kOk);
  EXPECT_EQ(byte[0], 8);
  array.FailReads(1, 2);
  EXPECT_EQ(array.Read(70, byte), Status::kMediumFailed);
  EXPECT_EQ(array.Read(127, byte), Status::kMediumFailed);
  EXPECT_EQ(array.Read(70, byte), Status::kOk);
  array.MarkUnreadable(1);
  EXPECT_EQ(array.Read(70, byte), Status::kMediumFailed);
  EXPECT_EQ(array.Read(128, byte), Status::kOk);
  ASSERT_EQ(array.Write(64, Filled(1)), Status::kOk);
  EXPECT_EQ(array.Read(70, byte), Status::kOk) << "what is written anew can be read";
}

TEST(OverwriteArray, TornUnitsSometimesReadDifferentlyTwice) {
  int unstable_count = 0;
  for (uint32_t seed = 1; seed < 200; ++seed) {
    PowerSupply power;
    OverwriteArray array(kPages, power);
    power.CutAt(5, seed);
    EXPECT_EQ(array.Write(0, Filled(0xFF)), Status::kMediumFailed);
    power.Restore();
    unstable_count += array.has_unstable_bits() ? 1 : 0;
    ASSERT_EQ(array.Write(0, Filled(0xFF)), Status::kOk);
    EXPECT_FALSE(array.has_unstable_bits());
  }
  EXPECT_GT(unstable_count, 10);
}

TEST(OverwriteArray, KeepsTheOldUntilTheNewIsWholeWhereAsked) {
  for (uint32_t seed = 1; seed < 50; ++seed) {
    PowerSupply power;
    OverwriteArray array(kPages, power);
    power.CutAt(seed, seed);
    EXPECT_EQ(array.Write(0, Filled(0xFF), Tearing::kUntouched), Status::kMediumFailed);
    for (uint32_t i = 0; i < 64; ++i) ASSERT_EQ(array.bytes()[i], 0);
  }
}

TEST(OverwriteArray, LivesOnInItsFileWithWearFaultsAndFigures) {
  const std::string path = testing::TempDir() + "overwrite_array_test.bin";
  const auto remove = [&] {
    for (const char* const end : {"", ".state", ".faults"}) std::filesystem::remove(path + end);
  };
  remove();
  {
    PowerSupply power;
    OverwriteArray array(kPages, power, path);
    ASSERT_EQ(array.Write(64, Filled(1)), Status::kOk);
    array.MarkBad(3);
    array.MarkUnreadable(1);
    uint32_t seed = 1;
    while (!array.has_unstable_bits()) {
      power.CutAt(power.point_count() + 5, seed++);
      EXPECT_EQ(array.Write(0, Filled(static_cast<uint8_t>(seed))), Status::kMediumFailed);
      power.Restore();
    }
  }
  EXPECT_EQ(std::filesystem::file_size(path), 4096u);
  PowerSupply power;
  OverwriteArray array(kPages, power, path);
  EXPECT_EQ(array.bytes()[64], 1);
  EXPECT_EQ(array.wear(1), 1u);
  EXPECT_EQ(array.figures().programmed_bytes, 64u);
  EXPECT_TRUE(array.has_unstable_bits());
  EXPECT_EQ(array.Write(192, Filled(1)), Status::kMediumFailed);
  std::array<uint8_t, 1> byte;
  EXPECT_EQ(array.Read(64, byte), Status::kMediumFailed);
  remove();
}

}  // namespace
}  // namespace ota::simulator
