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

struct WearCase {
  const char* name;
  WearRequest request;
};

std::string NameOf(const testing::TestParamInfo<WearCase>& info) { return info.param.name; }

/// Journal and slots, each by itself: small updates, for which the journal is the first to wear
/// out.
class RawStoreWear : public testing::TestWithParam<WearCase> {};

INSTANTIATE_TEST_SUITE_P(
    Wear, RawStoreWear,
    testing::Values(WearCase{"Flash", {.world = "teensy40-512k"}},
                    WearCase{"FlashWithTenModelsThatStay",
                             {.world = "teensy40-512k", .static_count = 10}},
                    WearCase{"Eeprom", {.world = "eeprom-128k", .model_bytes = 2000}},
                    WearCase{"EepromFilledToTwoThirds",
                             {.world = "eeprom-128k", .model_bytes = 3000, .static_count = 8}},
                    WearCase{"FatContainer", {.world = "fat12-512k", .model_bytes = 5000}},
                    WearCase{"EefsContainer", {.world = "eefs-128k", .model_bytes = 2000}}),
    NameOf);

TEST_P(RawStoreWear, JournalAndSlotsWearEvenlyOverManyUpdates) {
  WearRequest request = GetParam().request;
  request.update_count = kUpdateCount;
  const Result<WearReport> report = MeasureWear(request);
  ASSERT_EQ(report.status(), Status::kOk);
  EXPECT_GT(report->journal.mean, kUpdateCount / 100);
  EXPECT_LE(report->journal.excess(), kSpreadMax);
  EXPECT_GE(report->journal.least, report->journal.mean * (1 - kSpreadMax));
  EXPECT_GT(report->images.mean, kUpdateCount / 200);
  EXPECT_LE(report->images.excess(), kSpreadMax);
  const bool is_end_small = request.world.starts_with("teensy40");  // an image is one erase unit
  const double least_min = is_end_small ? report->images.mean * (1 - kSpreadMax) : 0;
  EXPECT_GE(report->images.least, least_min);
  EXPECT_EQ(report->refused_count, 0u);
}

/// All of the medium, with a journal that is large enough for the updates.
class WholeStoreWear : public testing::TestWithParam<WearCase> {};

INSTANTIATE_TEST_SUITE_P(
    Wear, WholeStoreWear,
    testing::Values(
        WearCase{"FlashWithTenModelsThatStay",
                 {.world = "teensy40-512k",
                  .model_bytes = 16000,
                  .static_count = 10,
                  .segment_count = 5}},
        WearCase{"FlashFilledToTwoThirds",
                 {.world = "teensy40-512k", .model_bytes = 20000, .static_count = 23}},
        WearCase{"FlashFilledToTwoThirdsWithSegmentsOfItsOwnChoice",
                 {.world = "teensy40-512k",
                  .model_bytes = 16000,
                  .static_count = 25,
                  .segment_count = 5}},
        WearCase{"Eeprom", {.world = "eeprom-128k", .model_bytes = 3000, .segment_count = 3}},
        WearCase{"EepromFilledToTwoThirds",
                 {.world = "eeprom-128k", .model_bytes = 3600, .static_count = 8}},
        WearCase{"FatContainer", {.world = "fat12-512k", .model_bytes = 10000, .segment_count = 4}},
        WearCase{
            "FatContainerFilledToTwoThirds",
            {.world = "fat12-512k", .model_bytes = 10000, .static_count = 15, .segment_count = 5}},
        WearCase{"EefsContainer", {.world = "eefs-128k", .model_bytes = 2700, .segment_count = 3}},
        WearCase{"EefsContainerFilledToTwoThirds",
                 {.world = "eefs-128k", .model_bytes = 3000, .static_count = 7}}),
    NameOf);

TEST_P(WholeStoreWear, AllUnitsWearEvenlyOverManyUpdates) {
  WearRequest request = GetParam().request;
  request.update_count = kUpdateCount;
  const Result<WearReport> report = MeasureWear(request);
  ASSERT_EQ(report.status(), Status::kOk);
  EXPECT_GT(report->all.mean, kUpdateCount / 100);
  EXPECT_LE(report->all.excess(), kSpreadMax);
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
