// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/container.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "storage/block_device/partition.h"
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/file_system/test_files.h"
#include "storage/model_store/raw_model_store.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

enum class Kind : uint8_t { kFat, kEefs };

/// A volume on a strict device in RAM, over restarts.
class Volume {
 public:
  explicit Volume(Kind kind) : Volume(kind, MakeGeometry(kind)) {}
  Volume(Kind kind, const Geometry& geometry) : kind_(kind), device_(geometry) { Restart(); }

  void Restart() {
    fat_ = std::make_unique<FatFileSystem>(device_, waiter_, buffer_);
    eefs_ = std::make_unique<EefsFileSystem>(device_, waiter_);
  }
  FileSystem& files() {
    if (kind_ == Kind::kFat) return *fat_;
    return *eefs_;
  }
  TestDevice& device() { return device_; }
  const Geometry& geometry() const { return device_.geometry(); }
  Result<ContainerPlace> Find() { return FindContainer(files(), geometry()); }
  Result<ContainerPlace> Make(uint32_t size_bytes = 0) {
    return MakeContainer(files(), geometry(), size_bytes);
  }

 private:
  static Geometry MakeGeometry(Kind kind) {
    return kind == Kind::kFat ? OverwritingGeometry(MiB(3), 512)
                              : OverwritingGeometry(KiB(256), 256);
  }

  Kind kind_;
  TestDevice device_;
  SpinWaiter waiter_;
  std::array<uint8_t, 512> buffer_{};
  std::unique_ptr<FatFileSystem> fat_;
  std::unique_ptr<EefsFileSystem> eefs_;
};

class ContainerTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    ASSERT_OK(volume_.files().Format());
    ASSERT_OK(WriteFile(volume_.files(), "readme.txt", foreign_));
  }
  void ExpectForeignFile() { ExpectFile(volume_.files(), "readme.txt", foreign_); }
  void Remount() {
    volume_.Restart();
    ASSERT_OK(volume_.files().Mount());
  }

  const Bytes foreign_ = MakeBytes(5000, 3);
  Volume volume_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Kinds, ContainerTest, testing::Values(Kind::kFat, Kind::kEefs),
                         [](const auto& info) {
                           return info.param == Kind::kFat ? "Fat" : "Eefs";
                         });

TEST_P(ContainerTest, IsFoundWhereItWasMade) {
  EXPECT_EQ(volume_.Find().status(), Status::kNotFound);
  const auto made = volume_.Make(40000);
  ASSERT_OK(made);
  EXPECT_EQ(made->offset % volume_.geometry().erase_unit, 0u);
  EXPECT_EQ(made->size_bytes % volume_.geometry().erase_unit, 0u);
  EXPECT_GT(made->size_bytes, 40000u - 2 * volume_.geometry().erase_unit);
  Remount();
  const auto found = volume_.Find();
  ASSERT_OK(found);
  EXPECT_EQ(found->offset, made->offset);
  EXPECT_EQ(found->size_bytes, made->size_bytes);
  EXPECT_EQ(volume_.Make(90000)->size_bytes, made->size_bytes) << "it is there already";
  EXPECT_EQ(volume_.files().Open(kContainerName)->size_bytes, 40000u);
  ExpectSound(volume_.files(), 2);
  ExpectForeignFile();
}

TEST_P(ContainerTest, LeavesRoomForOthersUnlessToldHowLargeToBe) {
  const uint32_t free_bytes = volume_.files().ReadSpace()->free_bytes;
  const auto made = volume_.Make();
  ASSERT_OK(made);
  EXPECT_GT(made->size_bytes, free_bytes / 16 * 14);
  EXPECT_LE(made->size_bytes, free_bytes / 16 * 15);
  const Bytes later = MakeBytes(free_bytes / 20, 4);
  ASSERT_OK(WriteFile(volume_.files(), "later.txt", later));
  ExpectFile(volume_.files(), "later.txt", later);
  EXPECT_EQ(volume_.Find()->offset, made->offset);
}

TEST_P(ContainerTest, HoldsAStoreThatTouchesNothingElse) {
  const auto place = volume_.Make();
  ASSERT_OK(place);
  const Bytes before = volume_.device().bytes;
  Partition models(volume_.device(), place->offset, place->size_bytes);
  std::vector<uint8_t> workspace(512);
  {
    RawModelStore store(models, workspace);
    ASSERT_EQ(RunToEnd([&] { return store.Format(); }), Status::kOk);
    for (uint32_t i = 0; i < 60; ++i) {
      ASSERT_EQ(InstallModel(store, "kws", MakeModel(9000, i)), Status::kOk) << i;
    }
  }
  Remount();
  EXPECT_EQ(volume_.Find()->offset, place->offset);
  RawModelStore store(models, workspace);
  ASSERT_EQ(RunToEnd([&] { return store.Mount(); }), Status::kOk);
  EXPECT_TRUE(*ReadModel(store, "kws") == MakeModel(9000, 59));
  Bytes after = volume_.device().bytes;
  EXPECT_FALSE(after == before);
  std::copy_n(before.begin() + place->offset, place->size_bytes, after.begin() + place->offset);
  EXPECT_TRUE(after == before) << "something was written outside of the container";
  ExpectSound(volume_.files(), 2);
  ExpectForeignFile();
}

TEST_P(ContainerTest, SaysWhenThereIsNoRoom) {
  const uint32_t free_bytes = volume_.files().ReadSpace()->free_bytes;
  EXPECT_EQ(volume_.Make(free_bytes + 10000).status(), Status::kStorageFull);
  EXPECT_EQ(volume_.Find().status(), Status::kNotFound);
  ExpectSound(volume_.files(), 1);
}

TEST_P(ContainerTest, OfLessThanAnEraseUnitIsNone) {
  ASSERT_OK(WriteFile(volume_.files(), kContainerName, MakeBytes(20, 1)));
  EXPECT_EQ(volume_.Find().status(), Status::kCorrupted);
  ASSERT_OK(volume_.Make(20000)) << "it is made anew";
  ExpectSound(volume_.files(), 2);
}

/// Power fails at each byte that making it changes, and leaves units old or new.
TEST_P(ContainerTest, IsThereOrNotWhenPowerFailsWhileItIsMade) {
  const Bytes start = volume_.device().bytes;
  Remount();
  const uint64_t before = volume_.device().changed_bytes;
  ASSERT_OK(volume_.Make(60000));
  const uint64_t count = volume_.device().changed_bytes - before;
  ASSERT_GT(count, 100u);
  for (uint64_t cut = 0; cut < count; cut += 7) {
    SCOPED_TRACE("cut at byte " + std::to_string(cut));
    Volume volume(GetParam());
    volume.device().bytes = start;
    ASSERT_OK(volume.files().Mount());
    volume.device().cut_at = cut;
    EXPECT_FALSE(volume.Make(60000).ok());
    volume.device().Restore();
    volume.Restart();
    ASSERT_OK(volume.files().Mount());
    ASSERT_OK(CheckWhole(volume.files(), CheckMode::kRepair));
    ASSERT_OK(volume.Make(60000));
    ExpectSound(volume.files(), 2);
    ExpectFile(volume.files(), "readme.txt", foreign_);
  }
}

TEST(Container, OnFatIsRefusedWhenItsClustersAreScattered) {
  Volume volume(Kind::kFat);
  FileSystem& files = volume.files();
  ASSERT_OK(files.Format());
  Result<File> container = files.Create(kContainerName, 0);
  Result<File> other = files.Create("other", 0);
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK(files.Append(*container, MakeBytes(files.extent_unit(), 1)));
    ASSERT_OK(files.Append(*other, MakeBytes(files.extent_unit(), 2)));
  }
  ASSERT_OK(files.Sync(*container));
  ASSERT_OK(files.Sync(*other));
  EXPECT_EQ(volume.Find().status(), Status::kCorrupted);
  ASSERT_OK(volume.Make());
  ExpectSound(files, 2);
}

TEST(Container, OnAScatteredFatTakesTheLongestShareInOneRun) {
  Volume volume(Kind::kFat);
  FileSystem& files = volume.files();
  ASSERT_OK(files.Format());
  const uint32_t eighth = files.ReadSpace()->free_bytes / 8;
  for (const char* const name : {"a", "b", "c", "d", "e", "f"}) {
    ASSERT_OK(WriteFile(files, name, MakeBytes(eighth, 1), 20000));
  }
  for (const char* const name : {"a", "c", "e"}) ASSERT_OK(files.Delete(name));
  const uint32_t free_bytes = files.ReadSpace()->free_bytes;  // five eighths, the longest run two
  EXPECT_EQ(volume.Make(eighth * 3).status(), Status::kStorageFull);
  const auto made = volume.Make();
  ASSERT_OK(made);
  EXPECT_GT(made->size_bytes, free_bytes / 16 * 6 - 1024);
  ExpectSound(files, 4);
}

TEST(Container, OfAHostileTableStaysInsideOfTheDevice) {
  Prng prng(11);
  for (const Kind kind : {Kind::kFat, Kind::kEefs}) {
    Volume volume(kind);
    ASSERT_OK(volume.files().Format());
    ASSERT_OK(volume.Make(50000));
    const Bytes sound = volume.device().bytes;
    for (int i = 0; i < 3000; ++i) {
      volume.device().bytes = sound;
      for (int j = 0; j < 3; ++j) {
        const uint32_t at = prng.NextBelow(kind == Kind::kFat ? 24576 : 700);
        volume.device().bytes[at] = static_cast<uint8_t>(prng.Next());
      }
      volume.Restart();
      if (!IsOk(volume.files().Mount())) continue;
      const auto found = volume.Find();
      if (!found.ok()) continue;
      EXPECT_GT(found->size_bytes, 0u);
      EXPECT_EQ(Partition(volume.device(), found->offset, found->size_bytes).geometry().size_bytes,
                found->size_bytes);
    }
  }
}

TEST(Container, IsNotForSpiffs) {
  TestDevice device(NorGeometry(KiB(128), KiB(4)));
  SpinWaiter waiter;
  std::array<uint8_t, 256> buffer;
  SpiffsFileSystem files(device, waiter, buffer);
  ASSERT_OK(files.Format());
  EXPECT_EQ(MakeContainer(files, device.geometry(), 20000).status(), Status::kNotSupported);
}

/// A card that others made, and use besides.
class ContainerForeign : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v mkfs.fat mcopy fsck.fat >/dev/null") != 0) {
      GTEST_SKIP() << "needs dosfstools and mtools: tools/install_packages.sh test";
    }
    fs_ = std::filesystem::temp_directory_path() / ("ota_container_" + std::to_string(getpid()));
    std::filesystem::create_directories(fs_);
  }
  void TearDown() override {
    if (!fs_.empty()) std::filesystem::remove_all(fs_);
  }
  std::string Path(const std::string& name) const { return (fs_ / name).string(); }
  void Run(const std::string& command) {
    EXPECT_EQ(std::system((command + " >/dev/null").c_str()), 0) << command;
  }
  void Save(const std::string& name, const Bytes& bytes) {
    std::ofstream(Path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  Bytes Load(const std::string& name) {
    Bytes bytes(std::filesystem::file_size(Path(name)));
    std::ifstream(Path(name), std::ios::binary)
        .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }

  std::filesystem::path fs_;
};

TEST_F(ContainerForeign, LivesBesideFilesOfOthersOnTheirCard) {
  const Bytes photo = MakeBytes(300000, 1);
  Save("photo", photo);
  for (const char* const options : {"-F 12 -s 32", "-F 16 -s 4", "-F 32 -s 1"}) {
    SCOPED_TRACE(options);
    Save("card", {});
    Run("truncate -s 40M " + Path("card") + " && mkfs.fat " + std::string(options) + " " +
        Path("card"));
    Run("mcopy -i " + Path("card") + " " + Path("photo") + " ::photo.jpg");
    Volume volume(Kind::kFat, OverwritingGeometry(MiB(40), 512));
    volume.device().bytes = Load("card");
    ASSERT_OK(volume.files().Mount());
    const auto place = volume.Make(MiB(8));
    ASSERT_OK(place);
    Partition models(volume.device(), place->offset, place->size_bytes);
    std::vector<uint8_t> workspace(512);
    RawModelStore store(models, workspace);
    ASSERT_EQ(RunToEnd([&] { return store.Format(); }), Status::kOk);
    ASSERT_EQ(InstallModel(store, "kws", MakeModel(90000, 1)), Status::kOk);

    Save("card", volume.device().bytes);
    Run("fsck.fat -n " + Path("card"));
    Run("mcopy -n -o -i " + Path("card") + " ::models.ota " + Path("container"));
    const Bytes& bytes = volume.device().bytes;
    EXPECT_TRUE(Load("container") ==
                Bytes(bytes.begin() + place->offset, bytes.begin() + place->offset + MiB(8)));
    Run("mcopy -n -o -i " + Path("card") + " ::photo.jpg " + Path("photo.back"));
    EXPECT_TRUE(Load("photo.back") == photo);

    Run("mcopy -i " + Path("card") + " " + Path("photo") + " ::second.jpg");
    Run("mdel -i " + Path("card") + " ::photo.jpg");
    volume.device().bytes = Load("card");
    volume.Restart();
    ASSERT_OK(volume.files().Mount());
    EXPECT_EQ(volume.Find()->offset, place->offset);
    ASSERT_EQ(RunToEnd([&] { return store.Mount(); }), Status::kOk);
    EXPECT_TRUE(*ReadModel(store, "kws") == MakeModel(90000, 1));
  }
}

}  // namespace
}  // namespace ota::storage
