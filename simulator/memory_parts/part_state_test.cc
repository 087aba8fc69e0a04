// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/part_state.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "simulator/memory_parts/nor_array.h"
#include "simulator/memory_parts/overwrite_array.h"

namespace ota::simulator {
namespace {

constexpr NorTraits kTwice = {4096, 1024, 4, 2, false, 1000};
constexpr OverwriteTraits kPages = {.size_bytes = 4096, .unit_bytes = 64};

class PartStateFile : public testing::Test {
 protected:
  void SetUp() override { Remove(); }
  void TearDown() override { Remove(); }
  void Remove() {
    for (const char* const end : {"", ".state", ".faults"}) std::filesystem::remove(path_ + end);
  }

  std::string ReadState() {
    std::ifstream file(path_ + ".state", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void WriteState(const std::string& state) {
    std::ofstream(path_ + ".state", std::ios::binary) << state;
  }

  /// What a part says that finds its file so; the file stays as it is.
  template <typename Array, typename Traits>
  std::string TellRefusal(const Traits& traits, const std::string& state) {
    WriteState(state);
    PowerSupply power;
    std::string message;
    try {
      const Array array(traits, power, path_);
    } catch (const PartFileError& error) {
      message = error.what();
    }
    EXPECT_EQ(ReadState(), state);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".faults"));
    return message;
  }

  // Of this process: tests run side by side.
  const std::string path_ =
      testing::TempDir() + "part_state_test." + std::to_string(getpid()) + ".bin";
};

TEST_F(PartStateFile, IsTakenAgainAsThePartLeftIt) {
  PowerSupply power;
  {
    NorArray nor(kTwice, power, path_);
    const uint8_t word[4] = {};
    ASSERT_EQ(nor.Program(8, word), Status::kOk);
    ASSERT_EQ(nor.Program(8, word), Status::kOk);
    ASSERT_EQ(nor.Erase(1024, 1024), Status::kOk);
    power.CutAt(power.point_count() + 3, 1);
    ASSERT_EQ(nor.Erase(2048, 1024), Status::kMediumFailed);
    power.Restore();
  }
  NorArray nor(kTwice, power, path_);
  const uint8_t ones[4] = {0xFF, 0xFF, 0xFF, 0xFF};
  EXPECT_EQ(nor.wear(1), 1u);
  EXPECT_EQ(nor.Program(8, ones), Status::kNotErased) << "it was programmed twice";
  EXPECT_EQ(nor.Program(2048, ones), Status::kNotErased) << "the unit is half erased";
}

TEST_F(PartStateFile, OfAnotherLengthIsRefused) {
  EXPECT_EQ(TellRefusal<NorArray>(kTwice, std::string(1043, '\0')),
            path_ +
                ".state: 1043 bytes long, where this part leaves 1044: it is damaged or another "
                "part's; remove it, and the wear of the part counts from 0");
  EXPECT_NE(TellRefusal<NorArray>(kTwice, std::string(1 << 20, '\0')), "");
  EXPECT_NE(TellRefusal<OverwriteArray>(kPages, std::string(511, '\0')), "");
}

TEST_F(PartStateFile, WithCountsThatNoPartLeavesIsRefused) {
  std::string state(1044, '\0');
  state[7] = '\x7F';
  EXPECT_NE(TellRefusal<NorArray>(kTwice, state).find("byte 4: a wear of 2130706432"),
            std::string::npos);
  state[7] = 0;
  state[18] = 2;
  EXPECT_NE(TellRefusal<NorArray>(kTwice, state).find("byte 18: a mark"), std::string::npos);
  state[18] = 1;
  state[1043] = 3;
  EXPECT_NE(TellRefusal<NorArray>(kTwice, state).find("byte 1043: 3 programs"), std::string::npos);
  state[1043] = 2;
  WriteState(state);
  PowerSupply power;
  EXPECT_NO_THROW(NorArray(kTwice, power, path_));
}

TEST_F(PartStateFile, WithWearThatNoPartLeavesIsRefusedOfPagesToo) {
  std::string state(512, '\0');
  state[511] = 2;
  EXPECT_NE(TellRefusal<OverwriteArray>(kPages, state).find("byte 504: a wear of"),
            std::string::npos);
}

TEST_F(PartStateFile, ThatIsEmptyIsANewOne) {
  WriteState("");
  PowerSupply power;
  const NorArray nor(kTwice, power, path_);
  EXPECT_EQ(nor.wear(0), 0u);
  EXPECT_EQ(ReadState().size(), 1044u);
}

}  // namespace
}  // namespace ota::simulator
