// SPDX-License-Identifier: Apache-2.0
#include "cli/server_attack.h"

#include <gtest/gtest.h>

namespace ota::cli {
namespace {

class AttackOnServer : public testing::TestWithParam<ServerAttack> {};

TEST_P(AttackOnServer, EndsAsItMust) {
  const ServerAttackOutcome outcome = PlayServerAttack(GetParam());
  EXPECT_TRUE(outcome.has_passed()) << GetParam().what << ": " << outcome.failure;
}

INSTANTIATE_TEST_SUITE_P(All, AttackOnServer,
                         testing::ValuesIn(AllServerAttacks().begin(), AllServerAttacks().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace ota::cli
