// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "base/prng.h"
#include "storage/model_store/test_media.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

/// A store with models that never change, that is updated and restarted ten thousand times, with
/// power cut in every tenth update: the segments of its journal (three erase units each, four of
/// them) wear evenly.
TEST(Wear, JournalWearsEvenlyOverTenThousandUpdates) {
  constexpr int kUpdateCount = 10000;
  constexpr uint32_t kJournalUnits = 12;
  const std::unique_ptr<StoreWorld> world = MakeWorld("teensy40-512k");
  const auto mount = [&] {
    world->Restart();
    return RunToEnd([&] { return world->store().Mount(); });
  };
  ASSERT_EQ(RunToEnd([&] { return world->store().Format(); }), Status::kOk);
  ASSERT_EQ(InstallModel(world->store(), "static1", MakeModel(20000, 1)), Status::kOk);
  ASSERT_EQ(InstallModel(world->store(), "static2", MakeModel(9000, 2)), Status::kOk);
  Prng prng(17);
  for (int update = 0; update < kUpdateCount; ++update) {
    if (update % 10 == 9 || !world->power().is_on()) {
      world->power().CutAt(world->power().point_count() + prng.NextBelow(4000), prng.Next());
    }
    (void)InstallModel(world->store(), "kws", MakeModel(600, 3 + update % 5));  // may be cut
    if (update % 10 == 9 || !world->power().is_on()) {
      ASSERT_EQ(mount(), Status::kOk) << update;
    }
  }
  ASSERT_EQ(mount(), Status::kOk);
  EXPECT_TRUE(*ReadModel(world->store(), "static1") == MakeModel(20000, 1));
  const std::vector<uint32_t> wear = world->ReadWear();
  uint64_t sum = 0;
  for (uint32_t unit = 0; unit < kJournalUnits; ++unit) sum += wear[unit];
  const uint64_t share = sum / kJournalUnits;
  EXPECT_GT(share, 100u);
  for (uint32_t unit = 0; unit < kJournalUnits; ++unit) {
    EXPECT_LE(wear[unit], share + share / 10) << unit;
    EXPECT_GE(wear[unit], share - share / 10) << unit;
  }
}

}  // namespace
}  // namespace ota::storage
