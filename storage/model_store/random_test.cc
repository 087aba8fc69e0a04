// SPDX-License-Identifier: Apache-2.0
// The store against a map, over long random sequences of operations with restarts and power cuts.
#include <gtest/gtest.h>

#include "storage/model_store/test_power_cut.h"

namespace ota::storage {
namespace {

// Sanitizers make a run slow; make test has both kinds of build.
#ifdef __SANITIZE_ADDRESS__
constexpr uint32_t kOperationCount = 300;
#else
constexpr uint32_t kOperationCount = 5000;
#endif

class RandomOperations : public testing::TestWithParam<std::string> {};

TEST_P(RandomOperations, LeaveWhatAMapHolds) {
  PowerCutRun run(GetParam(), 1);
  EXPECT_TRUE(run.RunRandom(kOperationCount)) << run.failure();
  EXPECT_GT(run.cut_count(), kOperationCount / 100);
}

INSTANTIATE_TEST_SUITE_P(Worlds, RandomOperations, testing::ValuesIn(WorldNames()),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace ota::storage
