// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "base/prng.h"
#include "storage/model_store/test_power_cut.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

// Sanitizers make a run slow; make test has both kinds of build.
#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kCutsPerWorld = 100;
constexpr int kNestedPerWorld = 30;
#else
constexpr uint64_t kCutsPerWorld = 600;
constexpr int kNestedPerWorld = 120;
#endif

class PowerCut : public testing::TestWithParam<std::string> {};

TEST_P(PowerCut, NoImageIsLostWhereverPowerFails) {
  PowerCutRun run(GetParam(), 1);
  const uint64_t count = run.CountPoints();
  ASSERT_GT(count, 0u) << run.failure();
  const uint64_t stride = std::max<uint64_t>(1, count / kCutsPerWorld) | 1;  // odd: all places
  for (uint64_t cut = 0; cut < count; cut += stride) {
    ASSERT_TRUE(run.Run({cut})) << run.failure();
    ASSERT_EQ(run.cut_count(), 1u) << GetParam() << ": power did not fail at " << cut;
  }
}

TEST_P(PowerCut, NoImageIsLostWhenRecoveryIsCutToo) {
  PowerCutRun run(GetParam(), 2);
  const uint64_t count = run.CountPoints();
  ASSERT_GT(count, 0u) << run.failure();
  Prng prng(251);
  for (int i = 0; i < kNestedPerWorld; ++i) {
    const uint64_t first = prng.NextBelow(static_cast<uint32_t>(count));
    ASSERT_TRUE(run.Run({first, prng.NextBelow(3000), prng.NextBelow(3000)})) << run.failure();
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, PowerCut, testing::ValuesIn(WorldNames()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(EncryptedWorlds, LeaveNoPlainBytesOfAnImageOnTheMedium) {
  constexpr std::string_view kMark = "-encrypted";
  int world_count = 0;
  for (const std::string& encrypted : WorldNames()) {
    if (!encrypted.ends_with(kMark)) continue;
    ++world_count;
    for (const std::string& name :
         {encrypted, encrypted.substr(0, encrypted.size() - kMark.size())}) {
      const std::unique_ptr<StoreWorld> world = MakeWorld(name);
      ASSERT_EQ(RunToEnd([&] { return world->store().Format(); }), Status::kOk);
      ASSERT_EQ(InstallModel(world->store(), "kws", MakeModel(3000, 1)), Status::kOk);
      EXPECT_EQ(HasPlainBytes(*world, MakeModel(3000, 1)), name != encrypted) << name;
    }
  }
  EXPECT_EQ(world_count, 3);
}

}  // namespace
}  // namespace ota::storage
