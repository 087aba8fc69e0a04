// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "simulator/attack/attack_case.h"

namespace ota::simulator {
namespace {

class Attack : public testing::TestWithParam<AttackCase> {};

TEST_P(Attack, EndsAsItMust) {
  const AttackOutcome outcome = PlayAttack(GetParam());
  EXPECT_TRUE(outcome.has_passed()) << GetParam().what << ": " << outcome.failure;
}

INSTANTIATE_TEST_SUITE_P(All, Attack, testing::ValuesIn(AllAttackCases()), [](const auto& info) {
  return std::string(info.param.group) + "_" + info.param.name;
});

TEST(AllAttackCases, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const AttackCase& attack : AllAttackCases()) {
    EXPECT_TRUE(names.insert(std::string(attack.group) + "/" + attack.name).second) << attack.name;
  }
}

}  // namespace
}  // namespace ota::simulator
