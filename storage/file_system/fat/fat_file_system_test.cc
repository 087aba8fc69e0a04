// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_file_system.h"

#include <gtest/gtest.h>

#include "storage/file_system/fat/fat_time.h"
#include "storage/file_system/test_files.h"

namespace ota::storage {
namespace {

struct Volume {
  explicit Volume(uint32_t size_bytes, const FatFormatOptions& options = {})
      : device(OverwritingGeometry(size_bytes, 512)), files(device, waiter, buffer, options) {
    device.busy_polls = 2;
  }
  uint8_t buffer[512];
  SpinWaiter waiter;
  TestDevice device;
  FatFileSystem files;
};

FatFormatOptions OfKind(FatFormatOptions::Kind kind, uint32_t cluster_bytes, bool is_partitioned) {
  FatFormatOptions options;
  options.kind = kind;
  options.cluster_bytes = cluster_bytes;
  options.is_partitioned = is_partitioned;
  return options;
}

struct Shape {
  uint32_t size_bytes;
  FatFormatOptions options;
  FatKind kind;
};

class FatShapes : public testing::TestWithParam<Shape> {};

INSTANTIATE_TEST_SUITE_P(
    Fat, FatShapes,
    testing::Values(
        Shape{MiB(1), {}, FatKind::kFat12},
        Shape{MiB(1), OfKind(FatFormatOptions::Kind::kFat12, 4096, true), FatKind::kFat12},
        Shape{MiB(12), {}, FatKind::kFat16},
        Shape{MiB(4), OfKind(FatFormatOptions::Kind::kFat16, 512, true), FatKind::kFat16},
        Shape{MiB(34), OfKind(FatFormatOptions::Kind::kFat32, 512, false), FatKind::kFat32},
        Shape{MiB(68), OfKind(FatFormatOptions::Kind::kFat32, 1024, true), FatKind::kFat32}));

TEST_P(FatShapes, KeepsFilesOverAMount) {
  Volume volume(GetParam().size_bytes, GetParam().options);
  ASSERT_OK(volume.files.Format());
  EXPECT_EQ(volume.files.layout().kind, GetParam().kind);
  ASSERT_OK(volume.files.CreateDirectory("models"));
  ASSERT_OK(volume.files.CreateDirectory("models/keyword spotting"));
  std::map<std::string, Bytes> expected;
  for (uint32_t i = 0; i < 24; ++i) {
    const std::string path = (i % 2 == 0 ? "models/" : "models/keyword spotting/") +
                             std::string("Model number ") + std::to_string(i) + ".tflite";
    expected[path] = MakeBytes(i * i * 37, i);
    ASSERT_OK(WriteFile(volume.files, path, expected[path], 100 + i * 77)) << path;
  }
  Volume again(GetParam().size_bytes);
  again.device.bytes = volume.device.bytes;
  ASSERT_OK(again.files.Mount());
  for (const auto& [path, bytes] : expected) {
    ExpectFile(again.files, path, bytes);
    const Result<Bytes> by_extents = ReadByExtents(again.files, again.device, path);
    ASSERT_OK(by_extents);
    EXPECT_TRUE(*by_extents == bytes) << path;
  }
  ExpectSound(again.files, 24);
  const Result<std::map<std::string, uint32_t>> listed = List(again.files, "models");
  ASSERT_OK(listed);
  EXPECT_EQ(listed->size(), 13u);
  EXPECT_EQ(listed->at("Model number 22.tflite"), 22u * 22 * 37);
  EXPECT_TRUE(listed->contains("keyword spotting/"));
}

TEST_P(FatShapes, GivesBackSpace) {
  Volume volume(GetParam().size_bytes, GetParam().options);
  ASSERT_OK(volume.files.Format());
  const Result<VolumeSpace> before = volume.files.ReadSpace();
  ASSERT_OK(before);
  EXPECT_GT(before->free_bytes, GetParam().size_bytes / 2);
  for (int round = 0; round < 3; ++round) {
    ASSERT_OK(WriteFile(volume.files, "a.bin", MakeBytes(200000, 1)));
    ASSERT_OK(WriteFile(volume.files, "b.bin", MakeBytes(100000, 2)));
    ASSERT_OK(volume.files.Delete("a.bin"));
    ASSERT_OK(volume.files.Delete("b.bin"));
  }
  const Result<VolumeSpace> after = volume.files.ReadSpace();
  ASSERT_OK(after);
  EXPECT_EQ(after->free_bytes, before->free_bytes);
  ExpectSound(volume.files, 0);
}

TEST(Fat, FillsTheVolumeToItsLastCluster) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  const Result<VolumeSpace> space = volume.files.ReadSpace();
  ASSERT_OK(space);
  EXPECT_EQ(volume.files.Create("x", space->free_bytes + 1).status(), Status::kStorageFull);
  Result<File> file = volume.files.Create("x", 0);
  ASSERT_OK(file);
  const Bytes bytes = MakeBytes(space->free_bytes + 5000, 3);
  EXPECT_EQ(volume.files.Append(*file, bytes), Status::kStorageFull);
  EXPECT_EQ(file->size_bytes, space->free_bytes);
  ASSERT_OK(volume.files.Sync(*file));
  ExpectFile(volume.files, "x", Bytes(bytes.begin(), bytes.begin() + file->size_bytes));
  ExpectSound(volume.files, 1);
}

TEST(Fat, LaysAFileOfKnownSizeOutInOneExtent) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(WriteFile(volume.files, "a", MakeBytes(3000, 1)));
  ASSERT_OK(WriteFile(volume.files, "b", MakeBytes(3000, 2)));
  ASSERT_OK(volume.files.Delete("a"));
  ASSERT_OK(WriteFile(volume.files, "c", MakeBytes(50000, 3), 100));
  Result<File> file = volume.files.Open("c");
  ASSERT_OK(file);
  Extent extents[4];
  const Result<size_t> count = volume.files.ReadExtents(*file, 0, extents);
  ASSERT_OK(count);
  EXPECT_EQ(*count, 1u);
  EXPECT_EQ(extents[0].size_bytes(), 50000u);
}

TEST(Fat, AppendsAcrossOpens) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(volume.files.Create("log.txt", 0));
  Bytes all;
  for (uint32_t i = 0; i < 120; ++i) {
    Result<File> file = volume.files.Open("LOG.TXT");
    ASSERT_OK(file);
    const Bytes part = MakeBytes(i % 67 + (i % 10 == 0 ? 1024 : 0), i);
    ASSERT_OK(volume.files.Append(*file, part));
    ASSERT_OK(volume.files.Sync(*file));
    all.insert(all.end(), part.begin(), part.end());
    Bytes tail(std::min<size_t>(all.size(), 40));
    ASSERT_OK(volume.files.Read(*file, static_cast<uint32_t>(all.size() - tail.size()), tail));
    EXPECT_TRUE(std::equal(tail.begin(), tail.end(), all.end() - static_cast<long>(tail.size())));
  }
  ExpectFile(volume.files, "log.txt", all);
  ExpectSound(volume.files, 1);
}

TEST(Fat, KeepsLongNamesOfAnyScript) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  const std::string names[] = {"a",
                               "UPPER.BIN",
                               "thirteenchars",
                               "fourteen chars",
                               "Modell für Geräusche.tflite",
                               "模型.tflite",
                               "\xF0\x9F\xA4\x96 robot",
                               std::string(255, 'n'),
                               "dots.in.the.name.bin",
                               ".hidden"};
  for (const std::string& name : names) ASSERT_OK(WriteFile(volume.files, name, MakeBytes(9, 1)));
  const Result<std::map<std::string, uint32_t>> listed = List(volume.files);
  ASSERT_OK(listed);
  for (const std::string& name : names) EXPECT_TRUE(listed->contains(name)) << name;
  for (const std::string& name : names) EXPECT_OK(volume.files.Open(name)) << name;
}

TEST(Fat, GivesEachLongNameItsOwnShortName) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK(WriteFile(volume.files, "firmware update " + std::to_string(i), MakeBytes(20, 5)));
  }
  EXPECT_OK(volume.files.Open("FIRMWA~1"));
  EXPECT_OK(volume.files.Open("FIRMWA~9"));
  EXPECT_EQ(volume.files.Create("FIRMWA~1", 0).status(), Status::kAlreadyExists);
  ExpectSound(volume.files, 40);
}

TEST(Fat, RefusesBadNames) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  for (const std::string& name : {std::string(""), std::string("a:b"), std::string("dot."),
                                  std::string("blank "), std::string("\x01"), std::string("\xC3"),
                                  std::string("."), std::string(".."), std::string(256, 'x')}) {
    EXPECT_EQ(volume.files.Create(name, 0).status(), Status::kNameInvalid) << name;
  }
  EXPECT_EQ(volume.files.Create("none/a", 0).status(), Status::kNotFound);
  EXPECT_EQ(volume.files.Open("none").status(), Status::kNotFound);
  EXPECT_EQ(volume.files.Delete("none"), Status::kNotFound);
}

TEST(Fat, RenamesWithinAndAcrossDirectories) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(volume.files.CreateDirectory("d"));
  const Bytes bytes = MakeBytes(5000, 9);
  ASSERT_OK(WriteFile(volume.files, "first name", bytes));
  ASSERT_OK(WriteFile(volume.files, "other", MakeBytes(10, 1)));
  EXPECT_EQ(volume.files.Rename("first name", "OTHER"), Status::kAlreadyExists);
  ASSERT_OK(volume.files.Rename("first name", "second name"));
  ASSERT_OK(volume.files.Rename("second name", "d/third name"));
  ExpectFile(volume.files, "d/third name", bytes);
  EXPECT_EQ(volume.files.Open("first name").status(), Status::kNotFound);
  EXPECT_EQ(volume.files.Delete("d"), Status::kNotSupported);
  ASSERT_OK(volume.files.Rename("d", "e"));
  ASSERT_OK(volume.files.Delete("e/third name"));
  ASSERT_OK(volume.files.Delete("e"));
  ExpectSound(volume.files, 1);
}

TEST(Fat, GrowsADirectoryAndReusesItsSlots) {
  Volume volume(MiB(2), OfKind(FatFormatOptions::Kind::kFat12, 512, false));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(volume.files.CreateDirectory("d"));
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 60; ++i) {
      ASSERT_OK(volume.files.Create("d/a rather long name " + std::to_string(i), 0));
    }
    for (int i = 0; i < 60; ++i) {
      ASSERT_OK(volume.files.Delete("d/a rather long name " + std::to_string((i * 7) % 60)));
    }
  }
  ASSERT_OK(volume.files.Delete("d"));
  ExpectSound(volume.files, 0);
}

TEST(Fat, ReportsAndKeepsTheTime) {
  EXPECT_EQ(DecodeFatTime(EncodeFatTime(1700000000)), 1700000000u);
  EXPECT_EQ(DecodeFatTime(EncodeFatTime(951782400)), 951782400u);  // 29 February 2000
  EXPECT_EQ(DecodeFatTime(EncodeFatTime(0)), 315532800u);          // FAT begins in 1980
  EXPECT_EQ(DecodeFatTime({0, 0}), 0u);
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  volume.files.set_time_s(1700000000);
  ASSERT_OK(WriteFile(volume.files, "a", MakeBytes(1, 1)));
  Result<Directory> directory = volume.files.OpenDirectory("");
  ASSERT_OK(directory);
  char name[16];
  const Result<FileInfo> info = volume.files.ReadDirectory(*directory, name);
  ASSERT_OK(info);
  EXPECT_EQ(info->modified_s, 1700000000u);
}

TEST(Fat, RefusesWhatItCannotMount) {
  Volume empty(MiB(1));
  EXPECT_EQ(empty.files.Mount(), Status::kCorrupted);
  EXPECT_EQ(empty.files.Open("a").status(), Status::kWrongState);
  Volume small(KiB(2));
  EXPECT_EQ(small.files.Format(), Status::kNotSupported);
  TestDevice flash(NorGeometry(MiB(1), 4096));
  FatFileSystem on_flash(flash, small.waiter, small.buffer);
  EXPECT_EQ(on_flash.Mount(), Status::kNotSupported);
  EXPECT_EQ(on_flash.Format(), Status::kNotSupported);
  Volume cut(MiB(1));
  ASSERT_OK(cut.files.Format());
  TestDevice shorter(OverwritingGeometry(KiB(512), 512));
  std::copy_n(cut.device.bytes.begin(), shorter.bytes.size(), shorter.bytes.begin());
  FatFileSystem on_shorter(shorter, cut.waiter, cut.buffer);
  EXPECT_EQ(on_shorter.Mount(), Status::kCorrupted);
}

TEST(Fat, ReadsTheOtherCopyOfATableSectorThatCannotBeReadAndRepairsIt) {
  for (uint32_t copy = 0; copy < 2; ++copy) {
    Volume volume(MiB(1));
    ASSERT_OK(volume.files.Format());
    const std::vector<uint8_t> bytes = MakeBytes(20000, 1);
    ASSERT_OK(WriteFile(volume.files, "a", bytes));
    const FatLayout layout = volume.files.layout();
    volume.device.unreadable_at = layout.table_offset + copy * layout.table_bytes;
    ASSERT_OK(volume.files.Mount());
    EXPECT_EQ(*ReadFile(volume.files, "a"), bytes);
    EXPECT_EQ(CheckWhole(volume.files, CheckMode::kReport)->other_count, 1u);
    ASSERT_OK(CheckWhole(volume.files, CheckMode::kRepair));
    EXPECT_EQ(volume.device.unreadable_at, TestDevice::kNowhere) << "it was written again";
    EXPECT_TRUE(CheckWhole(volume.files, CheckMode::kReport)->is_sound());
    EXPECT_EQ(*ReadFile(volume.files, "a"), bytes);
  }
}

TEST(Fat, EndsOnAChainThatLoops) {
  Volume volume(MiB(1));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(volume.files.CreateDirectory("d"));
  for (int i = 0; i < 30; ++i) ASSERT_OK(volume.files.Create("d/f" + std::to_string(i), 0));
  // The directory's second cluster (FAT12, cluster 3) points back to itself.
  const FatLayout& layout = volume.files.layout();
  for (uint32_t copy = 0; copy < 2; ++copy) {
    uint8_t* const pair =
        volume.device.bytes.data() + layout.table_offset + copy * layout.table_bytes + 3 + 1;
    pair[0] = static_cast<uint8_t>((pair[0] & 0x0F) | 0x30);
    pair[1] = 0;
  }
  ASSERT_OK(volume.files.Mount());
  EXPECT_EQ(List(volume.files, "d").status(), Status::kCorrupted);
  EXPECT_EQ(CheckWhole(volume.files, CheckMode::kReport).status(), Status::kCorrupted);
}

}  // namespace
}  // namespace ota::storage
