// SPDX-License-Identifier: Apache-2.0
#include "cli/advice.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ota::cli {
namespace {

const UnitAdvice& Find(const std::vector<UnitAdvice>& advice, UnitId id) {
  for (const UnitAdvice& unit : advice) {
    if (unit.facts.id == id) return unit;
  }
  ADD_FAILURE() << "no such unit";
  return advice.front();
}

Needs NeedsOf(std::vector<ModelSize> models) {
  Needs needs;
  needs.models = std::move(models);
  return needs;
}

TEST(Advice, TakesTheFlashThatIsThereAnyway) {
  const auto advice = Advise(DefaultUnits(), NeedsOf({{"kws", 54e3}, {"person", 300e3}}));
  EXPECT_EQ(advice.front().facts.id, UnitId::kOnChipFlash);
  EXPECT_TRUE(advice.front().is_fit());
}

TEST(Advice, CountsTheModelThatIsBeingStagedToo) {
  Needs needs = NeedsOf({{"a", 600e3}});
  needs.on_chip_bytes = 1e6;
  const auto advice = Advise(DefaultUnits(), needs);
  EXPECT_FALSE(Find(advice, UnitId::kOnChipFlash).is_fit()) << "two of 600 KB do not fit 1 MB";
  EXPECT_EQ(advice.front().facts.id, UnitId::kSpiNor);
}

TEST(Advice, TakesMassStorageForMegabytes) {
  const auto advice = Advise(DefaultUnits(), NeedsOf({{"wav2letter", 23e6}}));
  EXPECT_EQ(advice.front().facts.id, UnitId::kSdCard);
  Needs shaken = NeedsOf({{"wav2letter", 23e6}});
  shaken.has_vibration = true;
  EXPECT_EQ(Advise(DefaultUnits(), shaken).front().facts.id, UnitId::kEmmc);
}

TEST(Advice, KeepsToTheVoltage) {
  Needs needs = NeedsOf({{"a", 23e6}});
  needs.voltage = 1.8;
  for (const UnitAdvice& unit : Advise(DefaultUnits(), needs)) {
    EXPECT_FALSE(unit.is_fit()) << unit.facts.name;
  }
  needs.models = {{"a", 40e3}};
  needs.on_chip_bytes = 0;
  const auto advice = Advise(DefaultUnits(), needs);
  EXPECT_TRUE(Find(advice, UnitId::kEeprom).is_fit());
  EXPECT_FALSE(Find(advice, UnitId::kSdCard).is_fit());
  needs.voltage = 1.5;
  EXPECT_EQ(Advise(DefaultUnits(), needs).front().facts.id, UnitId::kFram);
}

TEST(Advice, KeepsToTheBudget) {
  Needs needs = NeedsOf({{"a", 23e6}});
  needs.budget = 4;
  for (const UnitAdvice& unit : Advise(DefaultUnits(), needs)) EXPECT_FALSE(unit.is_fit());
}

TEST(Advice, PutsSeveralEepromsOnTheBus) {
  const auto one = Advise(DefaultUnits(), NeedsOf({{"a", 100e3}}));
  EXPECT_EQ(Find(one, UnitId::kEeprom).part_count, 1);
  const auto two = Advise(DefaultUnits(), NeedsOf({{"a", 200e3}}));
  EXPECT_EQ(Find(two, UnitId::kEeprom).part_count, 2);
  EXPECT_EQ(Find(two, UnitId::kEeprom).price, 2 * Find(one, UnitId::kEeprom).price);
  EXPECT_TRUE(Find(two, UnitId::kEeprom).is_fit());
  EXPECT_FALSE(Find(Advise(DefaultUnits(), NeedsOf({{"a", 300e3}})), UnitId::kEeprom).is_fit());
}

TEST(Advice, SaysOfAUnitThatIsTooSmallOnlyThat) {
  Needs needs = NeedsOf({{"a", 60e3}});
  needs.on_chip_bytes = 0;
  needs.updates_per_day = 1000;
  const auto advice = Advise(DefaultUnits(), needs);
  EXPECT_EQ(Find(advice, UnitId::kOnChipFlash).objections.size(), 1u);
}

TEST(Advice, RejectsWhatWearsOutTooEarly) {
  Needs needs = NeedsOf({{"a", 60e3}});
  needs.updates_per_day = 24;
  needs.on_chip_bytes = 200e3;
  const auto advice = Advise(DefaultUnits(), needs);
  const UnitAdvice& flash = Find(advice, UnitId::kOnChipFlash);
  EXPECT_LT(flash.lifetime_years, 10 * 10.0);
  needs.years = flash.lifetime_years + 1;
  EXPECT_FALSE(Find(Advise(DefaultUnits(), needs), UnitId::kOnChipFlash).is_fit());
  needs.years = flash.lifetime_years - 1;
  EXPECT_TRUE(Find(Advise(DefaultUnits(), needs), UnitId::kOnChipFlash).is_fit());
}

TEST(Advice, ComputesHowLongAUnitLasts) {
  Needs needs = NeedsOf({{"a", 100e3}});
  EXPECT_TRUE(std::isinf(Find(Advise(DefaultUnits(), needs), UnitId::kSpiNor).lifetime_years));
  needs.updates_per_day = 1000;
  const auto advice = Advise(DefaultUnits(), needs);
  // 1e6 rewrites of the one slot.
  EXPECT_NEAR(Find(advice, UnitId::kEeprom).lifetime_years, 1e6 / 1000 / 365.25, 1e-9);
  EXPECT_FALSE(Find(advice, UnitId::kEeprom).is_fit());
  // 1e5 cycles of 16 MiB, 130 kB written for each model.
  EXPECT_NEAR(Find(advice, UnitId::kSpiNor).lifetime_years,
              1e5 * 16 * 1048576 / (1000 * 130e3) / 365.25, 1e-6);
  EXPECT_GT(Find(advice, UnitId::kFram).lifetime_years, 1e6);
}

TEST(Advice, ComputesLoadTimes) {
  const auto advice = Advise(DefaultUnits(), NeedsOf({{"a", 110e3}, {"b", 220e3}}));
  const UnitAdvice& eeprom = Find(advice, UnitId::kEeprom);
  ASSERT_EQ(eeprom.load_s.size(), 2u);
  EXPECT_DOUBLE_EQ(eeprom.load_s[0], 1.0);
  EXPECT_DOUBLE_EQ(eeprom.load_s[1], 2.0);
}

}  // namespace
}  // namespace ota::cli
