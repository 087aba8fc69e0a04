// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/file_model_store.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/file_system/test_files.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

enum class Kind : uint8_t { kFat, kSpiffs, kEefs };

/// A store on a file system on a strict device in RAM, over restarts.
class FileStore {
 public:
  explicit FileStore(Kind kind, uint32_t extent_count = 80)
      : kind_(kind), device_(MakeGeometry(kind)), extents_(extent_count) {
    Restart();
  }

  void Restart() {
    store_.reset();
    switch (kind_) {
      case Kind::kFat:
        fat_ = std::make_unique<FatFileSystem>(device_, waiter_, buffer_);
        break;
      case Kind::kSpiffs:
        spiffs_ = std::make_unique<SpiffsFileSystem>(device_, waiter_, buffer_);
        break;
      case Kind::kEefs:
        eefs_ = std::make_unique<EefsFileSystem>(device_, waiter_);
        break;
    }
    store_ = std::make_unique<FileModelStore>(files(), device_, waiter_, workspace_, extents_);
  }

  FileSystem& files() {
    if (kind_ == Kind::kFat) return *fat_;
    if (kind_ == Kind::kSpiffs) return *spiffs_;
    return *eefs_;
  }
  ModelStore& store() { return *store_; }
  TestDevice& device() { return device_; }
  std::vector<Extent>& extents() { return extents_; }

 private:
  static Geometry MakeGeometry(Kind kind) {
    if (kind == Kind::kFat) return OverwritingGeometry(MiB(3), 512);
    if (kind == Kind::kSpiffs) return NorGeometry(KiB(512), KiB(4));
    return OverwritingGeometry(KiB(256), 16);
  }

  Kind kind_;
  TestDevice device_;
  SpinWaiter waiter_;
  std::array<uint8_t, 512> buffer_{};
  std::vector<uint8_t> workspace_ = std::vector<uint8_t>(512);
  std::vector<Extent> extents_;
  std::unique_ptr<FatFileSystem> fat_;
  std::unique_ptr<SpiffsFileSystem> spiffs_;
  std::unique_ptr<EefsFileSystem> eefs_;
  std::unique_ptr<FileModelStore> store_;
};

Status Mount(FileStore& world) {
  world.Restart();
  return RunToEnd([&] { return world.store().Mount(); });
}

class FileModelStoreTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    ASSERT_EQ(RunToEnd([&] { return world_.store().Format(); }), Status::kOk);
  }
  ModelStore& store() { return world_.store(); }
  FileSystem& files() { return world_.files(); }
  void ExpectModel(const ModelName& name, const std::vector<uint8_t>& model,
                   ImageChoice choice = ImageChoice::kInUse) {
    const auto read = ReadModel(store(), name, choice);
    ASSERT_EQ(read.status(), Status::kOk) << name.view();
    EXPECT_TRUE(*read == model) << name.view();
  }

  FileStore world_{GetParam()};
};

constexpr const char* kKindNames[] = {"Fat", "Spiffs", "Eefs"};

INSTANTIATE_TEST_SUITE_P(Kinds, FileModelStoreTest,
                         testing::Values(Kind::kFat, Kind::kSpiffs, Kind::kEefs),
                         [](const auto& info) {
                           return kKindNames[static_cast<size_t>(info.param)];
                         });

TEST(FileModelStore, KeepsWithinItsRam) { EXPECT_LE(sizeof(FileModelStore), 2560u); }

TEST_P(FileModelStoreTest, FindsNoStoreOnAnEmptyVolume) {
  FileStore other(GetParam());
  EXPECT_EQ(Mount(other), Status::kCorrupted);
  ASSERT_EQ(other.files().Format(), Status::kOk);
  EXPECT_EQ(Mount(other), Status::kCorrupted);
  EXPECT_EQ(other.store().Activate("kws"), Status::kWrongState);
}

TEST_P(FileModelStoreTest, KeepsSeveralModelsOverARestart) {
  const auto kws = MakeModel(20001, 1);
  const auto wand = MakeModel(9999, 2);
  ASSERT_EQ(InstallModel(store(), "kws", kws), Status::kOk);
  ASSERT_EQ(InstallModel(store(), "magic_wand_with_a_long_name_001", wand), Status::kOk);
  ExpectModel("kws", kws);
  ASSERT_EQ(Mount(world_), Status::kOk);
  EXPECT_EQ(store().image_count(), 2u);
  ExpectModel("kws", kws);
  ExpectModel("magic_wand_with_a_long_name_001", wand);
}

TEST_P(FileModelStoreTest, EachModelIsAFileThatOthersCanRead) {
  const auto kws = MakeModel(20001, 1);
  ASSERT_EQ(InstallModel(store(), "kws", kws), Status::kOk);
  const auto read = ReadFile(files(), "kws.0001.ota");
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(*read == kws);
}

TEST_P(FileModelStoreTest, TrialTakesOverAndRevertsToTheConfirmed) {
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 1)), Status::kOk);
  ASSERT_EQ(StageModel(store(), "kws", MakeModel(6000, 2)), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Activate("kws"); }), Status::kOk);
  ExpectModel("kws", MakeModel(6000, 2));
  ASSERT_EQ(Mount(world_), Status::kOk);
  ExpectModel("kws", MakeModel(5000, 1), ImageChoice::kConfirmed);
  ASSERT_EQ(RunToEnd([&] { return store().Revert("kws"); }), Status::kOk);
  ExpectModel("kws", MakeModel(5000, 1));
  EXPECT_EQ(store().image_count(), 1u);
}

TEST_P(FileModelStoreTest, GivesBackTheSpaceOfWhatIsReplaced) {
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 1)), Status::kOk);
  const uint32_t free_bytes = store().space().free_bytes;
  for (uint32_t i = 2; i < 60; ++i) {
    ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, i)), Status::kOk) << i;
  }
  // A replaced image stays until the new one is confirmed, so EEFS has a second slot by then.
  EXPECT_GE(store().space().free_bytes + 5064, free_bytes);
  ExpectModel("kws", MakeModel(5000, 59));
}

TEST_P(FileModelStoreTest, OpenImageKeepsItsBytesWhileItIsReplaced) {
  const auto first = MakeModel(5000, 1);
  ASSERT_EQ(InstallModel(store(), "kws", first), Status::kOk);
  ASSERT_EQ(Mount(world_), Status::kOk);
  ByteSource* const source = *store().Open("kws");
  for (uint32_t i = 2; i < 90; ++i) {  // moves pages of SPIFFS, and goes round the journal
    ASSERT_EQ(InstallModel(store(), "kws", MakeModel(9000, i)), Status::kOk) << i;
  }
  std::vector<uint8_t> bytes(source->size_bytes());
  ASSERT_EQ(RunToEnd([&] { return source->Read(0, bytes); }), Status::kOk);
  EXPECT_TRUE(bytes == first);
  EXPECT_EQ(source->Read(4999, MutableByteSpan(bytes).first(2)), Status::kOutOfRange);
  store().Close(source);
  ASSERT_EQ(RunToEnd([&] { return store().WriteNote(0, {}); }), Status::kOk);
  EXPECT_EQ(files().Open("kws.0001.ota").status(), Status::kNotFound) << "the next change drops it";
}

TEST_P(FileModelStoreTest, ResumesWhereItWasDurable) {
  const auto model = MakeModel(50000, 1);
  ASSERT_EQ(RunToEnd([&] { return store().Begin(MakeRequest("kws", model)); }), Status::kOk);
  while (store().staged_bytes() < 33000) {
    (void)store().Append(ByteSpan(model).subspan(store().staged_bytes(), 100));  // until 33000
  }
  ASSERT_EQ(Mount(world_), Status::kOk);
  EXPECT_EQ(store().FindStaging()->durable_bytes, 32768u);
  ASSERT_EQ(RunToEnd([&] { return store().Resume(); }), Status::kOk);
  EXPECT_EQ(store().staged_bytes(), 32768u);
  ASSERT_EQ(AppendRest(store(), model, 999), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kOk);
  ExpectModel("kws", model, ImageChoice::kCandidate);
}

TEST_P(FileModelStoreTest, BeginsAnewWhenTheFileInStagingIsGone) {
  const auto model = MakeModel(9000, 1);
  ASSERT_EQ(RunToEnd([&] { return store().Begin(MakeRequest("kws", model)); }), Status::kOk);
  ASSERT_EQ(AppendRest(store(), model, 999), Status::kOk);
  ASSERT_EQ(files().Delete("kws.0001.ota"), Status::kOk);
  ASSERT_EQ(Mount(world_), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Resume(); }), Status::kOk);
  EXPECT_EQ(store().staged_bytes(), 0u);
  ASSERT_EQ(AppendRest(store(), model, 999), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kOk);
  ExpectModel("kws", model, ImageChoice::kCandidate);
}

TEST_P(FileModelStoreTest, WrongBytesNeverBecomeAnImage) {
  StageRequest request = MakeRequest("kws", MakeModel(5000, 1));
  request.digest[0] ^= 1;
  ASSERT_EQ(RunToEnd([&] { return store().Begin(request); }), Status::kOk);
  ASSERT_EQ(AppendRest(store(), MakeModel(5000, 1), 100), Status::kOk);
  EXPECT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kDigestMismatch);
  EXPECT_EQ(store().image_count(), 0u);
  EXPECT_EQ(files().Open("kws.0001.ota").status(), Status::kNotFound);
}

TEST_P(FileModelStoreTest, LeavesForeignFilesAlone) {
  const char* const names[] = {"kws.ota", "kws.00ff", "a.12g4.ota", ".0007.ota", "readme.txt"};
  for (const char* name : names)
    ASSERT_EQ(WriteFile(files(), name, MakeModel(300, 9)), Status::kOk);
  ASSERT_EQ(WriteFile(files(), "old.00ff.ota", MakeModel(300, 9)), Status::kOk);
  ASSERT_EQ(Mount(world_), Status::kOk);
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 1)), Status::kOk);
  for (const char* name : names) {
    const auto read = ReadFile(files(), name);
    ASSERT_TRUE(read.ok()) << name;
    EXPECT_TRUE(*read == MakeModel(300, 9)) << name;
  }
  EXPECT_EQ(files().Open("old.00ff.ota").status(), Status::kNotFound) << "no record names it";
  ASSERT_EQ(RunToEnd([&] { return store().Format(); }), Status::kOk);
  EXPECT_TRUE(ReadFile(files(), "readme.txt").ok());
  EXPECT_EQ(store().image_count(), 0u);
}

TEST_P(FileModelStoreTest, FullVolumeSaysWhatIsFree) {
  StageRequest request = MakeRequest("big", MakeModel(100, 1));
  const uint32_t free_bytes = store().space().largest_free_bytes;
  request.size_bytes = free_bytes + 1;
  EXPECT_EQ(RunToEnd([&] { return store().Begin(request); }), Status::kStorageFull);
  EXPECT_EQ(store().image_count(), 0u);
  const auto model = MakeModel(free_bytes, 3);
  EXPECT_EQ(InstallModel(store(), "big", model), Status::kOk);
  ExpectModel("big", model);
  for (uint32_t i = 0; i < 90; ++i) {  // the journal has its room
    ASSERT_EQ(RunToEnd([&] { return store().WriteNote(1, MakeModel(8, i + 1)); }), Status::kOk);
  }
  ExpectModel("big", model);
}

TEST_P(FileModelStoreTest, ScrubFindsAFlippedBitAndDropsTheCandidate) {
  ASSERT_EQ(InstallModel(store(), "good", MakeModel(5000, 1)), Status::kOk);
  ASSERT_EQ(StageModel(store(), "bad", MakeModel(5000, 2)), Status::kOk);
  ScrubReport report;
  ASSERT_EQ(RunToEnd([&] { return store().Scrub(report); }), Status::kOk);
  EXPECT_EQ(report.image_count, 2u);
  EXPECT_EQ(report.damaged_image_count, 0u);
  File file = *files().Open("bad.0002.ota");
  Extent extent;
  ASSERT_EQ(*files().ReadExtents(file, 0, std::span(&extent, 1)), 1u);
  world_.device().bytes[extent.offset + 100] ^= 1;
  ASSERT_EQ(RunToEnd([&] { return store().Scrub(report); }), Status::kOk);
  EXPECT_EQ(report.damaged_image_count, 1u);
  EXPECT_TRUE(report.is_repaired);
  EXPECT_EQ(store().image_count(), 1u);
}

TEST_P(FileModelStoreTest, ReadsAnyPartWithFewExtents) {
  FileStore world(GetParam(), FileModelStore::kViewCount);
  ASSERT_EQ(RunToEnd([&] { return world.store().Format(); }), Status::kOk);
  const auto model = MakeModel(60000, 1);
  ASSERT_EQ(InstallModel(world.store(), "kws", model), Status::kOk);
  ByteSource* const source = *world.store().Open("kws");
  Prng prng(5);
  for (int i = 0; i < 300; ++i) {
    const uint32_t offset = prng.NextBelow(60000);
    std::vector<uint8_t> bytes(1 + prng.NextBelow(60000 - offset));
    ASSERT_EQ(source->Read(offset, bytes), Status::kOk);
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), model.begin() + offset)) << offset;
  }
}

TEST_P(FileModelStoreTest, RefusesABufferThatIsTooSmall) {
  SpinWaiter waiter;
  std::vector<uint8_t> small(256);
  FileModelStore narrow(files(), world_.device(), waiter, small, world_.extents());
  EXPECT_EQ(narrow.Mount(), Status::kNotSupported);
}

}  // namespace
}  // namespace ota::storage
