// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/prng.h"
#include "storage/model_store/test_power_cut.h"

namespace ota::storage {
namespace {

/// A prime, so that the points of a short run fall on all places of a record.
constexpr uint64_t kStride = 17;

class PowerCut : public testing::TestWithParam<std::string> {};

TEST_P(PowerCut, NoImageIsLostWhereverPowerFails) {
  PowerCutRun run(GetParam(), 1);
  const uint64_t count = run.CountPoints();
  ASSERT_GT(count, 0u) << run.failure();
  for (uint64_t cut = 0; cut < count; cut += kStride) {
    ASSERT_TRUE(run.Run({cut})) << run.failure();
  }
  RecordProperty("cut_points", std::to_string(count / kStride));
}

TEST_P(PowerCut, NoImageIsLostWhenRecoveryIsCutToo) {
  PowerCutRun run(GetParam(), 2);
  const uint64_t count = run.CountPoints();
  ASSERT_GT(count, 0u) << run.failure();
  Prng prng(251);
  for (int i = 0; i < 400; ++i) {
    const uint64_t first = prng.NextBelow(static_cast<uint32_t>(count));
    ASSERT_TRUE(run.Run({first, prng.NextBelow(3000), prng.NextBelow(3000)})) << run.failure();
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, PowerCut, testing::ValuesIn(WorldNames()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace ota::storage
