// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "storage/model_store/test_wear.h"

namespace ota::storage {
namespace {

// Sanitizers make a run slow, and a short one is less even; make test has both kinds of build.
#ifdef __SANITIZE_ADDRESS__
constexpr uint32_t kUpdateCount = 1000;
constexpr double kSpreadMax = 1.0;
#else
constexpr uint32_t kUpdateCount = 10000;
constexpr double kSpreadMax = 0.1;
#endif

/// How many models of 9000 bytes never change, of 38 that have room.
class FlashWear : public testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Wear, FlashWear, testing::Values(1, 10),
                         testing::PrintToStringParamName());

/// The journal has four segments of three erase units each.
TEST_P(FlashWear, JournalAndSlotsWearEvenlyOverManyUpdates) {
  const Result<WearReport> report = MeasureWear(
      {.world = "teensy40-512k", .update_count = kUpdateCount, .static_count = GetParam()});
  ASSERT_EQ(report.status(), Status::kOk);
  EXPECT_GT(report->journal.mean, kUpdateCount / 100);
  EXPECT_LE(report->journal.excess(), kSpreadMax);
  EXPECT_GE(report->journal.least, report->journal.mean * (1 - kSpreadMax));
  EXPECT_GT(report->images.mean, kUpdateCount / 200);
  EXPECT_LE(report->images.excess(), kSpreadMax);
  EXPECT_GE(report->images.least, report->images.mean * (1 - kSpreadMax));
  EXPECT_EQ(report->refused_count, 0u);
}

/// Of containers, with a model that never changes.
class ContainerWear : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Wear, ContainerWear, testing::Values("fat12-512k", "eefs-128k"),
                         [](const auto& info) { return info.param[0] == 'f' ? "Fat" : "Eefs"; });

TEST_P(ContainerWear, SlotsWearEvenlyOverManyUpdates) {
  const Result<WearReport> report =
      MeasureWear({.world = GetParam(), .update_count = kUpdateCount, .static_model_bytes = 2000});
  ASSERT_EQ(report.status(), Status::kOk);
  EXPECT_GT(report->images.mean, kUpdateCount / 500);
  EXPECT_LE(report->images.excess(), kSpreadMax);
  EXPECT_EQ(report->refused_count, 0u);
}

/// How many models of 9000 bytes never change, of the twenty that have room.
class SpiffsWear : public testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Wear, SpiffsWear, testing::Values(1, 16),
                         testing::PrintToStringParamName());

TEST_P(SpiffsWear, AllBlocksWearEvenlyOverManyUpdates) {
  const Result<WearReport> report = MeasureWear(
      {.world = "spiffs-256k", .update_count = kUpdateCount, .static_count = GetParam()});
  ASSERT_EQ(report.status(), Status::kOk);
  EXPECT_GT(report->all.mean, kUpdateCount / 200);
  EXPECT_LE(report->all.excess(), kSpreadMax);
  EXPECT_GE(report->all.least, report->all.mean * (1 - kSpreadMax));
  EXPECT_EQ(report->refused_count, 0u);
}

}  // namespace
}  // namespace ota::storage
