// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/nor_array.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace ota::simulator {
namespace {

constexpr NorTraits kPlain = {4096, 1024, 1, 0, false, 100};
constexpr NorTraits kOnceOnly = {4096, 1024, 32, 1, true, 100};
constexpr NorTraits kTwice = {4096, 1024, 4, 2, false, 100};

std::array<uint8_t, 32> Filled(uint8_t value) {
  std::array<uint8_t, 32> bytes;
  bytes.fill(value);
  return bytes;
}

TEST(NorArray, ProgramsOnlyFromOneToZero) {
  PowerSupply power;
  NorArray nor(kPlain, power);
  EXPECT_EQ(nor.Program(251, Filled(0xF0)), Status::kOk);
  EXPECT_EQ(nor.Program(251, Filled(0x30)), Status::kOk);
  EXPECT_EQ(nor.Program(251, Filled(0x31)), Status::kNotErased);
  EXPECT_EQ(nor.bytes()[251], 0x30);
  EXPECT_EQ(nor.bytes()[250], 0xFF);
}

TEST(NorArray, RefusesASecondProgramOfAWordWithCheckBits) {
  PowerSupply power;
  NorArray nor(kOnceOnly, power);
  EXPECT_EQ(nor.Program(64, Filled(0xF0)), Status::kOk);
  EXPECT_EQ(nor.Program(64, Filled(0x00)), Status::kNotErased);
  EXPECT_EQ(nor.Erase(0, 1024), Status::kOk);
  EXPECT_EQ(nor.Program(64, Filled(0x00)), Status::kOk);
}

TEST(NorArray, RefusesAThirdProgramOfAWord) {
  PowerSupply power;
  NorArray nor(kTwice, power);
  EXPECT_EQ(nor.Program(0, Filled(0xFE)), Status::kOk);
  EXPECT_EQ(nor.Program(0, Filled(0xFC)), Status::kOk);
  EXPECT_EQ(nor.Program(0, Filled(0xF8)), Status::kNotErased);
}

TEST(NorArray, CountsWearForEachUnit) {
  PowerSupply power;
  NorArray nor(kPlain, power);
  EXPECT_EQ(nor.Erase(1024, 2048), Status::kOk);
  EXPECT_EQ(nor.Erase(1024, 1024), Status::kOk);
  EXPECT_EQ(nor.wear(0), 0u);
  EXPECT_EQ(nor.wear(1), 2u);
  EXPECT_EQ(nor.wear(2), 1u);
}

TEST(NorArray, FailsAtTheEndOfItsLife) {
  PowerSupply power;
  NorArray nor(kPlain, power);
  for (uint32_t i = 0; i < kPlain.endurance; ++i) ASSERT_EQ(nor.Erase(0, 1024), Status::kOk);
  EXPECT_EQ(nor.Erase(0, 1024), Status::kMediumFailed);
  EXPECT_EQ(nor.Erase(1024, 1024), Status::kOk);
}

TEST(NorArray, KeepsWhatWasProgrammedBeforeTheCutAndNothingAfterIt) {
  for (uint32_t seed = 1; seed < 200; ++seed) {
    PowerSupply power;
    NorArray nor(kOnceOnly, power);
    std::array<uint8_t, 128> data{};
    power.CutAt(70, seed);  // in the third word
    EXPECT_EQ(nor.Program(0, data), Status::kMediumFailed);
    EXPECT_FALSE(power.is_on());
    for (uint32_t i = 0; i < 64; ++i) EXPECT_EQ(nor.bytes()[i], 0);
    for (uint32_t i = 96; i < 200; ++i) EXPECT_EQ(nor.bytes()[i], 0xFF);
    EXPECT_EQ(nor.Program(512, data), Status::kMediumFailed) << "power is off";
    power.Restore();
    EXPECT_EQ(nor.Program(64, Filled(0)), Status::kNotErased) << "the torn word was programmed";
  }
}

TEST(NorArray, TornWordsSometimesReadDifferentlyTwiceOrNotAtAll) {
  int unstable_count = 0;
  int unreadable_count = 0;
  for (uint32_t seed = 1; seed < 200; ++seed) {
    PowerSupply power;
    NorArray nor(kOnceOnly, power);
    power.CutAt(5, seed);
    EXPECT_EQ(nor.Program(0, Filled(0)), Status::kMediumFailed);
    power.Restore();
    std::array<uint8_t, 32> first;
    std::array<uint8_t, 32> second;
    if (nor.Read(0, first) != Status::kOk) {
      unreadable_count += 1;
      continue;
    }
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(nor.Read(0, second), Status::kOk);
      if (first == second) continue;
      unstable_count += 1;
      break;
    }
  }
  EXPECT_GT(unstable_count, 10);
  EXPECT_GT(unreadable_count, 10);
}

TEST(NorArray, RefusesToProgramAHalfErasedUnit) {
  PowerSupply power;
  NorArray nor(kPlain, power);
  power.CutAt(3, 7);
  EXPECT_EQ(nor.Erase(0, 1024), Status::kMediumFailed);
  power.Restore();
  EXPECT_EQ(nor.Program(0, Filled(1)), Status::kNotErased);
  EXPECT_EQ(nor.Program(1024, Filled(1)), Status::kOk);
  EXPECT_EQ(nor.Erase(0, 1024), Status::kOk);
  EXPECT_EQ(nor.Program(0, Filled(1)), Status::kOk);
  EXPECT_FALSE(nor.has_unstable_bits());
}

TEST(NorArray, BadUnitsFailLoudlyOrSilently) {
  PowerSupply power;
  NorArray nor(kPlain, power);
  nor.MarkBad(1, BadUnit::kLoud);
  nor.MarkBad(2, BadUnit::kSilent);
  EXPECT_EQ(nor.Program(1024, Filled(0)), Status::kMediumFailed);
  EXPECT_EQ(nor.Erase(1024, 1024), Status::kMediumFailed);
  EXPECT_EQ(nor.Program(2048, Filled(0)), Status::kOk);
  EXPECT_EQ(nor.bytes()[2048], 0xFF);
  EXPECT_EQ(nor.Program(3072, Filled(0)), Status::kOk);
}

TEST(NorArray, InjectsBitFlipsAndReadErrors) {
  PowerSupply power;
  NorArray nor(kPlain, power);
  nor.FlipBit(251, 3);
  std::array<uint8_t, 1> byte;
  ASSERT_EQ(nor.Read(251, byte), Status::kOk);
  EXPECT_EQ(byte[0], 0xF7);
  nor.FailReads(251, 1);
  EXPECT_EQ(nor.Read(251, byte), Status::kMediumFailed);
  EXPECT_EQ(nor.Read(251, byte), Status::kOk);
}

TEST(NorArray, LivesOnInItsFile) {
  const std::string path = testing::TempDir() + "nor_array_test.bin";
  const auto remove = [&] {
    for (const char* const end : {"", ".state", ".faults"}) std::filesystem::remove(path + end);
  };
  remove();
  {
    PowerSupply power;
    NorArray nor(kOnceOnly, power, path);
    ASSERT_EQ(nor.Erase(1024, 1024), Status::kOk);
    ASSERT_EQ(nor.Program(32, Filled(0xAA)), Status::kOk);
    nor.MarkBad(3, BadUnit::kLoud);
    uint32_t seed = 1;
    while (!nor.has_unstable_bits()) {
      ASSERT_EQ(nor.Erase(2048, 1024), Status::kOk);
      power.CutAt(power.point_count() + 5, seed++);
      EXPECT_EQ(nor.Program(2048, Filled(0)), Status::kMediumFailed);
      power.Restore();
    }
  }
  EXPECT_EQ(std::filesystem::file_size(path), 4096u);
  PowerSupply power;
  NorArray nor(kOnceOnly, power, path);
  EXPECT_EQ(nor.bytes()[32], 0xAA);
  EXPECT_EQ(nor.wear(1), 1u);
  EXPECT_EQ(nor.Program(32, Filled(0)), Status::kNotErased);
  EXPECT_EQ(nor.Erase(3072, 1024), Status::kMediumFailed) << "the unit is still bad";
  EXPECT_TRUE(nor.has_unstable_bits());
  EXPECT_GE(nor.figures().programmed_bytes, 32u);
  remove();
}

TEST(NorArray, TakesWhatWasFlashedFromOutsideAsProgrammed) {
  const std::string path = testing::TempDir() + "nor_array_flashed_test.bin";
  std::ofstream(path, std::ios::binary) << std::string(33, 'x');
  PowerSupply power;
  NorArray nor(kOnceOnly, power, path);
  EXPECT_EQ(nor.Program(32, Filled(0)), Status::kNotErased);
  EXPECT_EQ(nor.Program(64, Filled(0)), Status::kOk);
  for (const char* const end : {"", ".state", ".faults"}) std::filesystem::remove(path + end);
}

TEST(NorArray, KnowsItsWearAndProgramsAfterTheProcessWasKilled) {
  const std::string path = testing::TempDir() + "nor_array_killed_test.bin";
  PowerSupply power;
  NorArray killed(kOnceOnly, power, path);
  ASSERT_EQ(killed.Erase(1024, 1024), Status::kOk);
  ASSERT_EQ(killed.Program(32, Filled(0xAA)), Status::kOk);
  {
    NorArray nor(kOnceOnly, power, path);  // while the other one has not come to its end
    EXPECT_EQ(nor.wear(1), 1u);
    EXPECT_EQ(nor.Program(32, Filled(0)), Status::kNotErased);
  }
  for (const char* const end : {"", ".state", ".faults"}) std::filesystem::remove(path + end);
}

}  // namespace
}  // namespace ota::simulator
