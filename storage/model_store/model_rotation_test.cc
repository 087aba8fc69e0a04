// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/model_rotation.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

/// 256 KiB of flash, of which the journal takes a part, and three models that never change.
class ModelRotationTest : public testing::Test {
 protected:
  static constexpr uint32_t kUpdateBytes = 600;

  void SetUp() override {
    ASSERT_EQ(world_.Format(), Status::kOk);
    for (const uint32_t seed : {1u, 2u, 3u}) {
      ASSERT_EQ(InstallModel(store(), Name(seed), MakeModel(9000, seed)), Status::kOk);
    }
  }
  static ModelName Name(uint32_t seed) { return {std::string(1, static_cast<char>('a' + seed))}; }
  RawModelStore& store() { return world_.store(); }
  uint32_t PlaceOf(const ModelName& name) {
    return store().FindImage(name, ImageChoice::kConfirmed)->place;
  }
  Status Move() {
    return RunToEnd([&] { return rotation_.Move(kUpdateBytes); });
  }
  void ExpectAllThere() {
    for (const uint32_t seed : {1u, 2u, 3u}) {
      EXPECT_TRUE(*ReadModel(store(), Name(seed)) == MakeModel(9000, seed)) << seed;
    }
    EXPECT_EQ(store().image_count(), 4u);
  }

  FlashWorld world_{simulator::kTeensy40Flash, KiB(256)};
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(300);
  ModelRotation rotation_{store(), buffer_};
};

TEST_F(ModelRotationTest, MovesEachModelWhenTheFreeSpaceWasGoneThroughOnce) {
  std::map<uint32_t, uint32_t> move_counts;
  for (uint32_t update = 0; update < 400; ++update) {
    ASSERT_EQ(InstallModel(store(), "hot", MakeModel(kUpdateBytes, update % 5)), Status::kOk)
        << update;
    std::map<uint32_t, uint32_t> before;
    for (const uint32_t seed : {1u, 2u, 3u}) before[seed] = PlaceOf(Name(seed));
    ASSERT_EQ(Move(), Status::kOk) << update;
    for (const auto& [seed, place] : before) {
      move_counts[seed] += PlaceOf(Name(seed)) == place ? 0 : 1;
    }
  }
  ExpectAllThere();
  uint32_t sum = 0;
  for (const auto& [seed, count] : move_counts) sum += count;
  for (const auto& [seed, count] : move_counts) EXPECT_NEAR(count, sum / 3.0, 1) << seed;
  EXPECT_GT(sum, 6u);
  EXPECT_LT(sum, 40u) << "far fewer than updates";
}

TEST_F(ModelRotationTest, MovesAllThatLieInARowInOneTurn) {
  uint32_t moved_count = 0;
  for (uint32_t update = 0; update < 100 && moved_count == 0; ++update) {
    ASSERT_EQ(InstallModel(store(), "hot", MakeModel(kUpdateBytes, update % 5)), Status::kOk)
        << update;
    std::map<uint32_t, uint32_t> before;
    for (const uint32_t seed : {1u, 2u, 3u}) before[seed] = PlaceOf(Name(seed));
    ASSERT_EQ(Move(), Status::kOk) << update;
    for (const auto& [seed, place] : before) moved_count += PlaceOf(Name(seed)) == place ? 0 : 1;
  }
  EXPECT_EQ(moved_count, 3u) << "so that what is free stays in one piece";
  ExpectAllThere();
}

TEST_F(ModelRotationTest, LeavesAStoreAloneThatIsNearlyFull) {
  const uint32_t free_bytes = store().space().free_bytes;
  ASSERT_EQ(InstallModel(store(), "large", MakeModel(free_bytes - KiB(24), 4)), Status::kOk);
  const uint32_t place = PlaceOf(Name(1));
  for (uint32_t update = 0; update < 20; ++update) {
    ASSERT_EQ(InstallModel(store(), "hot", MakeModel(kUpdateBytes, update % 5)), Status::kOk)
        << update;
    ASSERT_EQ(Move(), Status::kOk) << update;
  }
  EXPECT_EQ(PlaceOf(Name(1)), place);
}

TEST_F(ModelRotationTest, LeavesAloneWhatIsNotDue) {
  ASSERT_EQ(InstallModel(store(), "hot", MakeModel(kUpdateBytes, 1)), Status::kOk);
  const uint32_t place = PlaceOf(Name(1));
  ASSERT_EQ(Move(), Status::kOk);
  EXPECT_EQ(PlaceOf(Name(1)), place);
  ExpectAllThere();
}

TEST_F(ModelRotationTest, WaitsForAnImageInStaging) {
  const auto model = MakeModel(kUpdateBytes, 1);
  ASSERT_EQ(RunToEnd([&] { return store().Begin(MakeRequest("hot", model)); }), Status::kOk);
  EXPECT_EQ(Move(), Status::kWrongState);
  ASSERT_EQ(AppendRest(store(), model, 100), Status::kOk) << "which it did not disturb";
  ASSERT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kOk);
}

TEST_F(ModelRotationTest, DoesNothingOnAnEmptyStore) {
  ASSERT_EQ(world_.Format(), Status::kOk);
  EXPECT_EQ(Move(), Status::kOk);
  EXPECT_EQ(store().image_count(), 0u);
}

}  // namespace
}  // namespace ota::storage
