// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/file_model_store.h"

#include <gtest/gtest.h>

#include <map>

#include "base/units.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/file_system/test_files.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

/// A store on SPIFFS on a strict device in RAM, over restarts.
class FileStore {
 public:
  explicit FileStore(uint32_t extent_count = 88)
      : device_(NorGeometry(KiB(512), KiB(4))), extents_(extent_count) {
    Restart();
  }

  void Restart() {
    store_.reset();
    files_ = std::make_unique<SpiffsFileSystem>(device_, waiter_, buffer_);
    store_ = std::make_unique<FileModelStore>(*files_, device_, waiter_, workspace_, extents_);
  }

  FileSystem& files() { return *files_; }
  ModelStore& store() { return *store_; }
  TestDevice& device() { return device_; }
  std::vector<Extent>& extents() { return extents_; }

 private:
  TestDevice device_;
  SpinWaiter waiter_;
  std::array<uint8_t, 512> buffer_{};
  std::vector<uint8_t> workspace_ = std::vector<uint8_t>(512);
  std::vector<Extent> extents_;
  std::unique_ptr<SpiffsFileSystem> files_;
  std::unique_ptr<FileModelStore> store_;
};

Status Mount(FileStore& world) {
  world.Restart();
  return RunToEnd([&] { return world.store().Mount(); });
}

class FileModelStoreTest : public testing::Test {
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

  FileStore world_;
};

TEST(FileModelStore, KeepsWithinItsRam) { EXPECT_LE(sizeof(FileModelStore), 1536u); }

TEST_F(FileModelStoreTest, FindsNoStoreOnAnEmptyVolume) {
  FileStore other;
  EXPECT_EQ(Mount(other), Status::kCorrupted);
  ASSERT_EQ(other.files().Format(), Status::kOk);
  EXPECT_EQ(Mount(other), Status::kCorrupted);
  EXPECT_EQ(other.store().Activate("kws"), Status::kWrongState);
}

TEST_F(FileModelStoreTest, KeepsSeveralModelsOverARestart) {
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

TEST_F(FileModelStoreTest, EachModelIsAFileThatOthersCanRead) {
  const auto kws = MakeModel(20001, 1);
  ASSERT_EQ(InstallModel(store(), "kws", kws), Status::kOk);
  const auto read = ReadFile(files(), "kws.0001.ota");
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(*read == kws);
}

TEST_F(FileModelStoreTest, TrialTakesOverAndRevertsToTheConfirmed) {
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

TEST_F(FileModelStoreTest, GivesBackTheSpaceOfWhatIsReplaced) {
  ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, 1)), Status::kOk);
  const uint32_t free_bytes = store().space().free_bytes;
  for (uint32_t i = 2; i < 60; ++i) {
    ASSERT_EQ(InstallModel(store(), "kws", MakeModel(5000, i)), Status::kOk) << i;
  }
  EXPECT_EQ(store().space().free_bytes, free_bytes);
  ExpectModel("kws", MakeModel(5000, 59));
}

TEST_F(FileModelStoreTest, OpenImageKeepsItsBytesWhileItIsReplaced) {
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

TEST_F(FileModelStoreTest, ResumesWhereItWasDurable) {
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

TEST_F(FileModelStoreTest, BeginsAnewWhenTheFileInStagingIsGone) {
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

TEST_F(FileModelStoreTest, WrongBytesNeverBecomeAnImage) {
  StageRequest request = MakeRequest("kws", MakeModel(5000, 1));
  request.digest[0] ^= 1;
  ASSERT_EQ(RunToEnd([&] { return store().Begin(request); }), Status::kOk);
  ASSERT_EQ(AppendRest(store(), MakeModel(5000, 1), 100), Status::kOk);
  EXPECT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kDigestMismatch);
  EXPECT_EQ(store().image_count(), 0u);
  EXPECT_EQ(files().Open("kws.0001.ota").status(), Status::kNotFound);
}

TEST_F(FileModelStoreTest, LeavesForeignFilesAlone) {
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

TEST_F(FileModelStoreTest, FullVolumeSaysWhatIsFree) {
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

/// The store is kept as full as it can be, with models that come and go, so that each change needs
/// pages that only reclaiming gives.
TEST_F(FileModelStoreTest, FinishesWhateverItAcceptsHoweverFullTheVolumeIs) {
  Prng prng(23);
  std::map<std::string, std::vector<uint8_t>> kept;
  uint32_t refused_count = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string name(1, static_cast<char>('a' + prng.NextBelow(9)));
    if (prng.NextBelow(5) == 0 && kept.erase(name) != 0) {
      ASSERT_EQ(RunToEnd([&] { return store().Delete(name.c_str()); }), Status::kOk) << i;
    }
    const uint32_t free_bytes = store().space().largest_free_bytes;
    const uint32_t bytes = prng.NextBelow(3) == 0 ? free_bytes : 1 + prng.NextBelow(90000);
    if (bytes == 0) continue;
    const auto model = MakeModel(bytes, 1 + prng.NextBelow(3));
    const Status begun = RunToEnd([&] { return store().Begin(MakeRequest(name.c_str(), model)); });
    if (begun == Status::kStorageFull) {
      EXPECT_GT(bytes, free_bytes) << i;
      refused_count += 1;
      continue;
    }
    ASSERT_EQ(begun, Status::kOk) << i;
    ASSERT_EQ(AppendRest(store(), model, 999), Status::kOk) << i << ": " << bytes << " bytes";
    ASSERT_EQ(RunToEnd([&] { return store().Finish(); }), Status::kOk) << i;
    ASSERT_EQ(RunToEnd([&] { return store().Activate(name.c_str()); }), Status::kOk) << i;
    ASSERT_EQ(RunToEnd([&] { return store().Confirm(name.c_str()); }), Status::kOk) << i;
    kept[name] = model;
  }
  EXPECT_GT(refused_count, 100u) << "it was full";
  ASSERT_EQ(Mount(world_), Status::kOk);
  for (const auto& [name, model] : kept) ExpectModel(name.c_str(), model);
  ExpectSound(files(), static_cast<uint32_t>(kept.size() + JournalFiles::kFileCount));
}

TEST_F(FileModelStoreTest, ScrubFindsAFlippedBitAndDropsTheCandidate) {
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

TEST_F(FileModelStoreTest, ReadsAnyPartWithFewExtents) {
  FileStore world(FileModelStore::kExtentCountMin);
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

TEST_F(FileModelStoreTest, RefusesABufferThatIsTooSmall) {
  SpinWaiter waiter;
  std::vector<uint8_t> small(256);
  FileModelStore narrow(files(), world_.device(), waiter, small, world_.extents());
  EXPECT_EQ(narrow.Mount(), Status::kNotSupported);
}

}  // namespace
}  // namespace ota::storage
