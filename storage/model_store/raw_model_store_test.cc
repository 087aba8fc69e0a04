// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/raw_model_store.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

using simulator::kNrf52840Flash;
using simulator::kSamd51Flash;
using simulator::kStm32H743Flash;
using simulator::kTeensy40Flash;

constexpr uint32_t kSmallSize = KiB(256);

class RawModelStoreTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(world_.Format(), Status::kOk); }

  ModelStore& store() { return world_.store(); }
  void Restart() { ASSERT_EQ(world_.RestartAndMount(), Status::kOk); }
  void ExpectModel(const ModelName& name, const std::vector<uint8_t>& model,
                   ImageChoice choice = ImageChoice::kInUse) {
    const auto read = ReadModel(store(), name, choice);
    ASSERT_EQ(read.status(), Status::kOk) << name.view();
    EXPECT_TRUE(*read == model) << name.view();
  }

  FlashWorld world_{kNrf52840Flash, kSmallSize};
};

TEST(RawModelStore, KeepsWithinItsRam) { EXPECT_LE(sizeof(RawModelStore), 1536u); }

TEST_F(RawModelStoreTest, IsEmptyAfterFormatAndRestart) {
  EXPECT_EQ(store().image_count(), 0u);
  Restart();
  EXPECT_EQ(store().image_count(), 0u);
  EXPECT_EQ(store().Open("kws").status(), Status::kNotFound);
  EXPECT_EQ(store().space().free_bytes, store().space().total_bytes);
}

TEST(RawModelStore, FindsNoStoreOnAnErasedFlash) {
  FlashWorld world(kNrf52840Flash, kSmallSize);
  EXPECT_EQ(world.RestartAndMount(), Status::kCorrupted);
  EXPECT_EQ(world.store().Activate("kws"), Status::kWrongState);
}

TEST_F(RawModelStoreTest, KeepsSeveralModelsOverARestart) {
  const auto kws = MakeModel(20001, 1);
  const auto wand = MakeModel(9999, 2);
  ASSERT_EQ(InstallModel(store(), "kws", kws), Status::kOk);
  ASSERT_EQ(InstallModel(store(), "magic_wand", wand), Status::kOk);
  ExpectModel("kws", kws);
  Restart();
  EXPECT_EQ(store().image_count(), 2u);
  ExpectModel("kws", kws);
  ExpectModel("magic_wand", wand);
  const auto info = store().FindImage("kws", ImageChoice::kInUse);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size_bytes, 20001u);
  EXPECT_EQ(info->state, ImageState::kConfirmed);
  EXPECT_EQ(info->digest, crypto::ComputeSha256(kws));
  EXPECT_EQ(info->sequence_number, 20001u);
}

TEST_F(RawModelStoreTest, TrialTakesOverAndRevertsToTheConfirmed) {
  const auto first = MakeModel(5000, 1);
  const auto second = MakeModel(6000, 2);
  ASSERT_EQ(InstallModel(store(), "kws", first), Status::kOk);
  ASSERT_EQ(StageModel(store(), "kws", second), Status::kOk);
  ExpectModel("kws", first);
  ExpectModel("kws", second, ImageChoice::kCandidate);
  ASSERT_EQ(RunToEnd([&] { return store().Activate("kws"); }), Status::kOk);
  ExpectModel("kws", second);
  Restart();
  ExpectModel("kws", second);
  ExpectModel("kws", first, ImageChoice::kConfirmed);
  ASSERT_EQ(RunToEnd([&] { return store().Revert("kws"); }), Status::kOk);
  ExpectModel("kws", first);
  Restart();
  ExpectModel("kws", first);
  EXPECT_EQ(store().image_count(), 1u);
}

TEST_F(RawModelStoreTest, ConfirmFreesTheFormerImage) {
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 1)), Status::kOk);
  const uint32_t free_bytes = store().space().free_bytes;
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 2)), Status::kOk);
  EXPECT_EQ(store().space().free_bytes, free_bytes);
  EXPECT_EQ(store().image_count(), 1u);
}

TEST_F(RawModelStoreTest, ActivatesAndConfirmsAllInOneRecord) {
  ASSERT_EQ(StageModel(store(), "a", MakeModel(1000, 1)), Status::kOk);
  ASSERT_EQ(StageModel(store(), "b", MakeModel(1000, 2)), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Activate(""); }), Status::kOk);
  Restart();
  EXPECT_EQ(store().FindImage("a", ImageChoice::kInUse)->state, ImageState::kTrial);
  EXPECT_EQ(store().FindImage("b", ImageChoice::kInUse)->state, ImageState::kTrial);
  ASSERT_EQ(RunToEnd([&] { return store().Confirm(""); }), Status::kOk);
  EXPECT_EQ(store().FindImage("a", ImageChoice::kConfirmed)->state, ImageState::kConfirmed);
  EXPECT_EQ(RunToEnd([&] { return store().Confirm(""); }), Status::kNotFound);
}

TEST_F(RawModelStoreTest, DeleteRemovesAllImagesOfAName) {
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 1)), Status::kOk);
  ASSERT_EQ(StageModel(store(), "kws", MakeModel(5000, 2)), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Delete("kws"); }), Status::kOk);
  EXPECT_EQ(store().image_count(), 0u);
  Restart();
  EXPECT_EQ(store().image_count(), 0u);
  EXPECT_EQ(RunToEnd([&] { return store().Delete("kws"); }), Status::kNotFound);
}

TEST_F(RawModelStoreTest, OpenImageKeepsItsBytesWhileItIsReplaced) {
  const auto first = MakeModel(5000, 1);
  ASSERT_EQ(InstallModel(store(), "kws", first), Status::kOk);
  ByteSource* const source = *store().Open("kws");
  for (uint32_t i = 2; i < 30; ++i) {  // goes round the whole flash
    ASSERT_EQ(InstallModel(store(), "kws", MakeModel(9000, i)), Status::kOk) << i;
  }
  std::vector<uint8_t> bytes(source->size_bytes());
  ASSERT_EQ(RunToEnd([&] { return source->Read(0, bytes); }), Status::kOk);
  EXPECT_TRUE(bytes == first);
  ASSERT_TRUE(source->Map().has_value());
  EXPECT_TRUE(std::equal(first.begin(), first.end(), source->Map()->begin()));
  EXPECT_EQ(source->Read(4999, MutableByteSpan(bytes).first(2)), Status::kOutOfRange);
  const uint32_t free_bytes = store().space().free_bytes;
  store().Close(source);
  EXPECT_EQ(store().space().free_bytes, free_bytes + store().NeededBytes(5000));
}

TEST_F(RawModelStoreTest, RefusesMoreThanFourOpenImages) {
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 1)), Status::kOk);
  ByteSource* source = nullptr;
  for (int i = 0; i < 4; ++i) source = *store().Open("kws");
  EXPECT_EQ(store().Open("kws").status(), Status::kTooManyOpen);
  store().Close(source);
  EXPECT_TRUE(store().Open("kws").ok());
}

TEST_F(RawModelStoreTest, FullFlashSaysWhatIsFreeAndWhatIsNeeded) {
  const StoreSpace space = store().space();
  StageRequest request = MakeRequest("big", MakeModel(100, 1));
  request.size_bytes = space.largest_free_bytes + 1;
  EXPECT_EQ(RunToEnd([&] { return store().Begin(request); }), Status::kStorageFull);
  EXPECT_GT(store().NeededBytes(request.size_bytes), store().space().largest_free_bytes);
  request.size_bytes = space.largest_free_bytes;
  EXPECT_EQ(RunToEnd([&] { return store().Begin(request); }), Status::kOk);
  EXPECT_EQ(store().space().free_bytes, 0u);
  EXPECT_EQ(RunToEnd([&] { return store().Begin(MakeRequest("a", MakeModel(100, 1))); }),
            Status::kOk)
      << "what is staging gives way";
}

TEST_F(RawModelStoreTest, RefusesBadRequests) {
  StageRequest request = MakeRequest("bad/name", MakeModel(100, 1));
  EXPECT_EQ(store().Begin(request), Status::kNameInvalid);
  request.name = "good";
  request.size_bytes = 0;
  EXPECT_EQ(store().Begin(request), Status::kInvalidArgument);
  EXPECT_EQ(store().Append(MakeModel(10, 1)).status(), Status::kWrongState);
  EXPECT_EQ(store().Finish(), Status::kWrongState);
}

TEST_F(RawModelStoreTest, WrongBytesNeverBecomeAnImage) {
  const auto model = MakeModel(5000, 1);
  StageRequest request = MakeRequest("kws", model);
  request.digest[0] ^= 1;
  ASSERT_EQ(RunToEnd([&] { return store().Begin(request); }), Status::kOk);
  ASSERT_EQ(AppendRest(store(), model, 100), Status::kOk);
  EXPECT_EQ(store().Append(ByteSpan(model).first(1)).status(), Status::kOutOfRange);
  EXPECT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kDigestMismatch);
  EXPECT_EQ(store().image_count(), 0u);
  Restart();
  EXPECT_EQ(store().image_count(), 0u);
}

TEST_F(RawModelStoreTest, SilentlyBadUnitIsFoundBeforeTheImageIsStaged) {
  const uint32_t unit_count = world_.flash().nor().unit_count();
  for (uint32_t unit = unit_count / 2; unit < unit_count; ++unit) {
    world_.flash().nor().MarkBad(unit, simulator::BadUnit::kSilent);
  }
  const auto model = MakeModel(store().space().largest_free_bytes, 1);
  EXPECT_EQ(StageModel(store(), "kws", model), Status::kDigestMismatch);
  EXPECT_EQ(store().image_count(), 0u);
}

TEST_F(RawModelStoreTest, LoudlyBadUnitFailsTheStaging) {
  for (uint32_t unit = 20; unit < world_.flash().nor().unit_count(); ++unit) {
    world_.flash().nor().MarkBad(unit, simulator::BadUnit::kLoud);
  }
  const auto model = MakeModel(store().space().largest_free_bytes, 1);
  EXPECT_EQ(StageModel(store(), "kws", model), Status::kMediumFailed);
  EXPECT_EQ(RunToEnd([&] { return store().Abandon(); }), Status::kOk);
}

TEST(RawModelStore, LeavesABadJournalSegmentOut) {
  FlashWorld world(kNrf52840Flash);
  ASSERT_EQ(world.Format(), Status::kOk);
  for (uint32_t unit = 3; unit < 6; ++unit) {  // the second of four segments
    world.flash().nor().MarkBad(unit, simulator::BadUnit::kLoud);
  }
  for (uint32_t i = 1; i < 30; ++i) {
    ASSERT_EQ(InstallModel(world.store(), "kws", MakeModel(5000, i)), Status::kOk) << i;
    ASSERT_EQ(world.RestartAndMount(), Status::kOk);
  }
  EXPECT_TRUE(*ReadModel(world.store(), "kws") == MakeModel(5000, 29));
}

TEST_F(RawModelStoreTest, ResumesWhereItWasDurable) {
  const auto model = MakeModel(50000, 1);
  ASSERT_EQ(RunToEnd([&] { return store().Begin(MakeRequest("kws", model)); }), Status::kOk);
  while (store().staged_bytes() < 33000) {
    (void)store().Append(ByteSpan(model).subspan(store().staged_bytes(), 100));  // until 33000
  }
  Restart();
  const auto info = store().FindStaging();
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->state, ImageState::kStaging);
  EXPECT_EQ(info->durable_bytes, 32768u);
  EXPECT_EQ(store().Append(ByteSpan(model).first(1)).status(), Status::kWrongState);
  ASSERT_EQ(RunToEnd([&] { return store().Resume(); }), Status::kOk);
  EXPECT_EQ(store().staged_bytes(), 32768u);
  ASSERT_EQ(AppendRest(store(), model, 999), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kOk);
  ExpectModel("kws", model, ImageChoice::kCandidate);
}

TEST_F(RawModelStoreTest, AbandonFreesTheSlot) {
  const uint32_t free_bytes = store().space().free_bytes;
  ASSERT_EQ(RunToEnd([&] { return store().Begin(MakeRequest("kws", MakeModel(5000, 1))); }),
            Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Abandon(); }), Status::kOk);
  EXPECT_EQ(store().space().free_bytes, free_bytes);
  EXPECT_EQ(store().FindStaging().status(), Status::kNotFound);
  EXPECT_EQ(RunToEnd([&] { return store().Abandon(); }), Status::kNotFound);
}

TEST_F(RawModelStoreTest, KeepsNotes) {
  const auto value = MakeModel(80, 3);
  std::vector<uint8_t> read(80);
  EXPECT_EQ(store().ReadNote(1, read).status(), Status::kNotFound);
  ASSERT_EQ(RunToEnd([&] { return store().WriteNote(1, value); }), Status::kOk);
  Restart();
  EXPECT_EQ(*store().ReadNote(1, read), 80u);
  EXPECT_EQ(read, value);
  EXPECT_EQ(store().ReadNote(1, MutableByteSpan(read).first(79)).status(), Status::kBufferTooSmall);
  ASSERT_EQ(RunToEnd([&] { return store().WriteNote(1, {}); }), Status::kOk);
  EXPECT_EQ(store().ReadNote(1, read).status(), Status::kNotFound);
  EXPECT_EQ(store().WriteNote(4, value), Status::kInvalidArgument);
}

TEST_F(RawModelStoreTest, ScrubFindsAFlippedBitAndDropsTheCandidate) {
  ASSERT_EQ(InstallModel(store(), "good", MakeModel(5000, 1)), Status::kOk);
  ASSERT_EQ(InstallModel(store(), "bad", MakeModel(5000, 2)), Status::kOk);
  ASSERT_EQ(StageModel(store(), "good", MakeModel(5000, 3)), Status::kOk);
  ScrubReport report;
  ASSERT_EQ(RunToEnd([&] { return store().Scrub(report); }), Status::kOk);
  EXPECT_EQ(report.image_count, 3u);
  EXPECT_EQ(report.damaged_image_count, 0u);
  for (const ImageChoice choice : {ImageChoice::kConfirmed, ImageChoice::kCandidate}) {
    ByteSource* const source =
        *store().Open(choice == ImageChoice::kConfirmed ? "bad" : "good", choice);
    world_.flash().nor().FlipBit(
        static_cast<uint32_t>(source->Map()->data() - world_.flash().Map()->data() + 4000), 3);
    store().Close(source);
  }
  ASSERT_EQ(RunToEnd([&] { return store().Scrub(report); }), Status::kOk);
  EXPECT_EQ(report.image_count, 3u);
  EXPECT_EQ(report.damaged_image_count, 2u);
  EXPECT_TRUE(report.is_repaired);
  EXPECT_EQ(store().image_count(), 2u) << "the confirmed ones stay";
  EXPECT_EQ(store().FindImage("good", ImageChoice::kCandidate).status(), Status::kNotFound);
}

TEST_F(RawModelStoreTest, GivesEachImageAGreaterNonceAlsoOverRestarts) {
  uint64_t last = 0;
  for (uint32_t i = 1; i <= 6; ++i) {
    if (i % 2 == 0) Restart();
    const std::string name = "model" + std::to_string(i);
    ASSERT_EQ(InstallModel(store(), name.c_str(), MakeModel(1000, i)), Status::kOk);
    const auto info = store().FindImage(name.c_str(), ImageChoice::kInUse);
    ASSERT_TRUE(info.ok());
    EXPECT_GT(info->nonce, last) << name;
    last = info->nonce;
  }
}

TEST(RawModelStore, GivesTheJournalAsManySegmentsAsAskedFor) {
  FlashWorld few(kNrf52840Flash, kSmallSize, 2);
  FlashWorld many(kNrf52840Flash, kSmallSize, 7);
  ASSERT_EQ(few.Format(), Status::kOk);
  ASSERT_EQ(many.Format(), Status::kOk);
  const uint32_t difference = few.store().space().total_bytes - many.store().space().total_bytes;
  EXPECT_EQ(difference % 5, 0u);
  EXPECT_GT(difference, 5 * KiB(4));
  for (uint32_t i = 0; i < 9; ++i) {  // more sessions than segments
    ASSERT_EQ(InstallModel(many.store(), "kws", MakeModel(5000, i)), Status::kOk);
    ASSERT_EQ(many.RestartAndMount(), Status::kOk);
    EXPECT_TRUE(*ReadModel(many.store(), "kws") == MakeModel(5000, i));
  }
}

TEST(RawModelStore, RefusesAStoreOfAnotherCountOfSegments) {
  FlashWorld world(kNrf52840Flash, kSmallSize, 3);
  ASSERT_EQ(world.Format(), Status::kOk);
  world.UseSegments(4);
  EXPECT_EQ(world.RestartAndMount(), Status::kNotSupported);
}

TEST(RawModelStore, RefusesMoreSegmentsThanThereIsRoomFor) {
  FlashWorld world(kNrf52840Flash, kSmallSize, 1u << 30);
  EXPECT_EQ(world.Format(), Status::kNotSupported);
}

TEST_F(RawModelStoreTest, TakesAsManyImagesAsItHasRoomFor) {
  uint32_t count = 0;
  Status status = Status::kOk;
  while (IsOk(status)) {
    status =
        StageModel(store(), ("model" + std::to_string(count)).c_str(), MakeModel(1000, count + 1));
    count += IsOk(status) ? 1 : 0;
  }
  EXPECT_EQ(status, Status::kStorageFull);
  EXPECT_EQ(count, kImageCountMax);
  Restart();
  EXPECT_EQ(store().image_count(), kImageCountMax);
  ExpectModel("model7", MakeModel(1000, 8), ImageChoice::kCandidate);
}

TEST(RawModelStore, WorksOnEveryOnChipFlash) {
  for (const auto* traits : {&kStm32H743Flash, &kSamd51Flash, &kNrf52840Flash, &kTeensy40Flash}) {
    FlashWorld world(*traits);
    ASSERT_EQ(world.Format(), Status::kOk) << traits->name;
    for (uint32_t i = 1; i < 8; ++i) {
      ASSERT_EQ(InstallModel(world.store(), "kws", MakeModel(60000 + i, i)), Status::kOk);
      ASSERT_EQ(world.RestartAndMount(), Status::kOk);
      const auto read = ReadModel(world.store(), "kws");
      ASSERT_TRUE(read.ok());
      EXPECT_TRUE(*read == MakeModel(60000 + i, i)) << traits->name;
    }
  }
}

}  // namespace
}  // namespace ota::storage
