// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program_for_test.h"

// `ota-tinyml advise` as people run it.

namespace ota::cli {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class AdviseCommandTest : public ProgramTest {
 protected:
  std::string Advise(const std::string& options) {
    return Shell("ota advise --models models/digits/digits.tflite models/sine/sine.tflite " +
                 options);
  }
};

/// The line of the table that has a unit's verdict; "": none.
std::string LineOf(const std::string& table, const std::string& unit) {
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(unit)) return line;
  }
  return "";
}

TEST_F(AdviseCommandTest, PrintsYearsOfLifeAndTheLoadTimeOfEachModel) {
  const std::string output = Advise("--writes-per-day 24");
  EXPECT_EQ(exit_code_, 0) << output;
  EXPECT_THAT(output, ContainsRegex("^unit +with +needed +holds +price +years +energy"));
  // 1e6 rewrites of each of the two slots, 24 a day in all.
  EXPECT_THAT(LineOf(output, "I2C EEPROM"), ContainsRegex(" 228\\.2 .* fits$"));
  EXPECT_THAT(LineOf(output, "SPI NOR flash"), ContainsRegex(" >1000 .* fits$"));
  EXPECT_THAT(LineOf(output, "load time"),
              ContainsRegex("on-chip flash +SPI NOR flash +I2C EEPROM"));
  // 10,560 and 2,976 bytes at 40 MB/s, 2.5 MB/s and 110 kB/s.
  EXPECT_THAT(LineOf(output, "digits"), ContainsRegex("0\\.264 ms +4\\.22 ms +96 ms"));
  EXPECT_THAT(LineOf(output, "sine"), ContainsRegex("0\\.0744 ms +1\\.19 ms +27\\.1 ms"));
  EXPECT_THAT(output, HasSubstr("\nUse on-chip flash with model store: "));
}

TEST_F(AdviseCommandTest, LeavesOutWhatIsWornOutTooEarly) {
  const std::string output = Advise("--writes-per-day 240 --years 30 --on-chip 0");
  EXPECT_EQ(exit_code_, 0) << output;
  EXPECT_THAT(LineOf(output, "I2C EEPROM"), HasSubstr("worn out after 22.8 years of 30"));
  EXPECT_THAT(LineOf(output, "on-chip flash"), HasSubstr("too small: 25 KiB needed"));
  EXPECT_THAT(output, HasSubstr("\nUse SPI NOR flash "));
}

TEST_F(AdviseCommandTest, LeavesCardsOutWhereTheDeviceIsShaken) {
  EXPECT_THAT(LineOf(Advise(""), "SD card"), HasSubstr(" fits"));
  const std::string output = Advise("--vibration");
  EXPECT_EQ(exit_code_, 0) << output;
  EXPECT_THAT(LineOf(output, "SD card"), HasSubstr("shakes out of its socket"));
  EXPECT_THAT(LineOf(output, "eMMC"), HasSubstr(" fits"));
}

TEST_F(AdviseCommandTest, LeavesOutWhatNeedsMoreVoltsThanTheBoardHas) {
  const std::string output = Advise("--voltage 1.8");
  EXPECT_EQ(exit_code_, 0) << output;
  for (const char* const unit : {"SD card", "eMMC"}) {
    EXPECT_THAT(LineOf(output, unit), HasSubstr("needs 2.7 V, the board has 1.8 V"));
  }
  for (const char* const unit : {"on-chip flash", "SPI NOR flash", "I2C EEPROM", "FRAM"}) {
    EXPECT_THAT(LineOf(output, unit), HasSubstr(" fits"));
  }
}

TEST_F(AdviseCommandTest, TakesPricesAndSizesThatAreGiven) {
  const std::string output = Shell("ota advise --models speech=23M --price emmc=0.5 sd=2.25");
  EXPECT_EQ(exit_code_, 0) << output;
  EXPECT_THAT(LineOf(output, "eMMC"), HasSubstr(" 0.50 "));
  EXPECT_THAT(LineOf(output, "SD card"), HasSubstr(" 2.25 "));
  EXPECT_THAT(LineOf(output, "speech"), HasSubstr(" 24.1 s"));
  EXPECT_THAT(output, HasSubstr("\nUse eMMC with FAT: "));
}

TEST_F(AdviseCommandTest, FailsWhenNothingFitsAndStillShowsWhy) {
  const std::string output = Shell("ota advise --models speech=23M --budget 4");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(output, HasSubstr("no memory unit meets all of this; the last column says why not"));
  EXPECT_THAT(LineOf(output, "SD card"), HasSubstr("costs about 5.00, the budget is 4.00"));
  EXPECT_THAT(output, Not(HasSubstr("\nUse ")));
}

TEST_F(AdviseCommandTest, PrintsTheSameForPrograms) {
  const std::string output = Advise("--writes-per-day 24 --vibration --json");
  ASSERT_EQ(exit_code_, 0) << output;
  const auto list = nlohmann::json::parse(output);
  ASSERT_EQ(list.size(), 6u);
  EXPECT_EQ(list[0]["unit"], "on-chip");
  EXPECT_DOUBLE_EQ(list[0]["load_s"]["digits"], 10560 / 40e6);
  for (const auto& unit : list) {
    EXPECT_EQ(unit["is_fit"], unit["unit"] != "sd");
    EXPECT_EQ(unit["objections"].size(), unit["unit"] == "sd" ? 1u : 0u);
    EXPECT_GT(unit["lifetime_years"], 1.0);
  }
}

TEST_F(AdviseCommandTest, RefusesNumbersThatMeanNothing) {
  for (const char* const option : {"--voltage", "--years", "--writes-per-day", "--budget"}) {
    for (const char* const number : {"-1", "nan", "inf", "many", "3x", "1e999"}) {
      const std::string output = Advise(std::string(option) + " " + number);
      EXPECT_EQ(exit_code_, 2) << option << " " << number;
      EXPECT_THAT(output, HasSubstr(std::string(option) + ": '" + number + "' is no number "));
      EXPECT_THAT(output, Not(HasSubstr("verdict"))) << option << " " << number;
    }
  }
  for (const char* const option : {"--voltage 0", "--years 0"}) {
    EXPECT_THAT(Advise(option), HasSubstr("'0' is no number above 0"));
    EXPECT_EQ(exit_code_, 2) << option;
  }
  for (const char* const price : {"sd=-5", "sd=nan", "sd=5x", "sd=", "sd", "tape=5"}) {
    EXPECT_THAT(Advise(std::string("--price ") + price), HasSubstr("is no price; say UNIT=PRICE"));
    EXPECT_EQ(exit_code_, 2) << price;
  }
  for (const char* const size : {"-1", "many", "5000M"}) {
    EXPECT_THAT(Advise(std::string("--on-chip ") + size), HasSubstr("is no size; say for example"));
    EXPECT_EQ(exit_code_, 2) << size;
  }
}

TEST_F(AdviseCommandTest, RefusesModelsThatItCannotJudge) {
  EXPECT_THAT(Shell("ota advise --models none.tflite"),
              HasSubstr("cannot read the size of none.tflite: No such file or directory; give a "
                        "file, or NAME=SIZE"));
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(Shell("ota advise --models kws=0"), HasSubstr("'0' is no size"));
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(Shell("ota advise --models =5K"), HasSubstr("'=5K' lacks a name; say NAME=SIZE"));
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(Advise("sine=5K"), HasSubstr("two models are called 'sine'; NAME=SIZE tells them"));
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(Shell("ota advise"), HasSubstr("--models is required"));
  EXPECT_EQ(exit_code_, 2);
}

TEST_F(AdviseCommandTest, ExplainsItsOptions) {
  const std::string help = Shell("ota advise --help");
  EXPECT_EQ(exit_code_, 0);
  for (const char* const option : {"--models", "--budget", "--price", "--vibration", "--voltage",
                                   "--writes-per-day", "--years", "--on-chip", "--json"}) {
    EXPECT_THAT(help, HasSubstr(option));
  }
  const std::string output = Advise("--colour");
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(output, HasSubstr("not expected: --colour"));
  EXPECT_THAT(output, HasSubstr("Usage: ota-tinyml advise"));
}

}  // namespace
}  // namespace ota::cli
