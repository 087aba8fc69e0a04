// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/spiffs/spiffs_file_system.h"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/file_system/test_files.h"

namespace ota::storage {
namespace {

struct Volume {
  explicit Volume(uint32_t size_bytes, const SpiffsOptions& options = {})
      : device(NorGeometry(size_bytes, 4096)), files(device, waiter, buffer, options) {
    device.busy_polls = 1;
  }
  uint8_t buffer[1024];
  SpinWaiter waiter;
  TestDevice device;
  SpiffsFileSystem files;
};

SpiffsOptions Pages(uint32_t page_bytes, uint32_t block_bytes) {
  SpiffsOptions options;
  options.page_bytes = page_bytes;
  options.block_bytes = block_bytes;
  return options;
}

class SpiffsShapes : public testing::TestWithParam<SpiffsOptions> {};

INSTANTIATE_TEST_SUITE_P(Spiffs, SpiffsShapes,
                         testing::Values(SpiffsOptions{}, SpiffsOptions::Esp8266(8192),
                                         Pages(512, 8192), Pages(1024, 16384), Pages(256, 65536),
                                         SpiffsOptions{256, 4096, 64, 8, false, false, true}));

TEST_P(SpiffsShapes, KeepsFilesOverAMount) {
  Volume volume(MiB(1), GetParam());
  ASSERT_OK(volume.files.Format());
  std::map<std::string, Bytes> expected;
  for (uint32_t i = 0; i < 24; ++i) {
    const std::string name = "/models/number " + std::to_string(i);
    expected[name] = MakeBytes(i * i * 97, i);
    ASSERT_OK(WriteFile(volume.files, name, expected[name], 100 + i * 77)) << name;
  }
  Volume again(MiB(1), GetParam());
  again.device.bytes = volume.device.bytes;
  ASSERT_OK(again.files.Mount());
  for (const auto& [name, bytes] : expected) {
    ExpectFile(again.files, name, bytes);
    const Result<Bytes> by_extents = ReadByExtents(again.files, again.device, name);
    ASSERT_OK(by_extents);
    EXPECT_TRUE(*by_extents == bytes) << name;
  }
  ExpectSound(again.files, 24);
  const auto listed = List(again.files);
  ASSERT_OK(listed);
  EXPECT_EQ(listed->size(), 24u);
  EXPECT_EQ(listed->at("/models/number 23"), 23u * 23 * 97);
}

TEST_P(SpiffsShapes, TakesAFileOfJustTheFreeSpace) {
  Volume volume(KiB(512), GetParam());
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(WriteFile(volume.files, "small", MakeBytes(100, 1)));
  for (uint32_t round = 0; round < 3; ++round) {
    const Result<VolumeSpace> space = volume.files.ReadSpace();
    ASSERT_OK(space);
    EXPECT_GT(space->free_bytes, KiB(200));
    EXPECT_EQ(volume.files.Create("large", space->free_bytes + 1).status(), Status::kStorageFull);
    const Bytes bytes = MakeBytes(space->free_bytes, round);
    ASSERT_OK(WriteFile(volume.files, "large", bytes));
    ExpectFile(volume.files, "large", bytes);
    ASSERT_OK(volume.files.Delete("large"));
  }
  ExpectFile(volume.files, "small", MakeBytes(100, 1));
  ExpectSound(volume.files, 1);
}

TEST(Spiffs, ReclaimsSpaceAmongFilesThatStay) {
  Volume volume(KiB(128));
  ASSERT_OK(volume.files.Format());
  std::map<std::string, Bytes> expected;
  Prng prng(7);
  for (uint32_t round = 0; round < 1500; ++round) {
    const std::string name = "f" + std::to_string(prng.NextBelow(9));
    if (expected.contains(name)) {
      ASSERT_OK(volume.files.Delete(name)) << "round " << round;
      expected.erase(name);
      continue;
    }
    const Bytes bytes = MakeBytes(prng.NextBelow(9000), round);
    ASSERT_OK(WriteFile(volume.files, name, bytes, 333)) << "round " << round;
    expected[name] = bytes;
    if (round % 50 == 0) {
      for (const auto& [path, content] : expected) ExpectFile(volume.files, path, content);
    }
  }
  for (const auto& [path, content] : expected) ExpectFile(volume.files, path, content);
  ExpectSound(volume.files, static_cast<uint32_t>(expected.size()));
}

TEST(Spiffs, SpreadsWearOverFilesThatNeverChange) {
  Volume volume(KiB(128));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(WriteFile(volume.files, "cold", MakeBytes(60000, 1)));
  std::vector<uint32_t> erases(32);
  for (uint32_t round = 0; round < 4000; ++round) {
    ASSERT_OK(WriteFile(volume.files, "hot", MakeBytes(2000, round)));
    ASSERT_OK(volume.files.Delete("hot"));
  }
  ExpectFile(volume.files, "cold", MakeBytes(60000, 1));
  // The stamp in each block is the running number of its last erase.
  uint32_t oldest = UINT32_MAX;
  uint32_t newest = 0;
  for (uint32_t block = 0; block < 32; ++block) {
    const uint32_t stamp = LoadLe16(volume.device.bytes.data() + block * 4096 + 254);
    oldest = std::min(oldest, stamp);
    newest = std::max(newest, stamp);
  }
  EXPECT_GT(newest, 2000u);
  EXPECT_LT(newest - oldest, 32u * 32) << "a block lay still for long";
}

TEST(Spiffs, AppendsAcrossOpens) {
  Volume volume(KiB(128));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(volume.files.Create("log", 0));
  Bytes all;
  for (uint32_t i = 0; i < 300; ++i) {
    Result<File> file = volume.files.Open("log");
    ASSERT_OK(file);
    const Bytes part = MakeBytes(i % 67 + (i % 10 == 0 ? 600 : 0), i);
    ASSERT_OK(volume.files.Append(*file, part));
    ASSERT_OK(volume.files.Sync(*file));
    all.insert(all.end(), part.begin(), part.end());
  }
  ExpectFile(volume.files, "log", all);
  ExpectSound(volume.files, 1);
}

TEST(Spiffs, RenamesAndRefuses) {
  Volume volume(KiB(64));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(WriteFile(volume.files, "one", MakeBytes(5000, 1)));
  ASSERT_OK(WriteFile(volume.files, "two", MakeBytes(10, 2)));
  EXPECT_EQ(volume.files.Rename("one", "two"), Status::kAlreadyExists);
  EXPECT_EQ(volume.files.Rename("none", "three"), Status::kNotFound);
  ASSERT_OK(volume.files.Rename("one", "three"));
  ExpectFile(volume.files, "three", MakeBytes(5000, 1));
  EXPECT_EQ(volume.files.Open("one").status(), Status::kNotFound);
  EXPECT_EQ(volume.files.Create("three", 0).status(), Status::kAlreadyExists);
  EXPECT_EQ(volume.files.Create(std::string(32, 'x'), 0).status(), Status::kNameInvalid);
  EXPECT_EQ(volume.files.Create("", 0).status(), Status::kNameInvalid);
  EXPECT_OK(volume.files.Create(std::string(31, 'x'), 0));
  EXPECT_EQ(volume.files.CreateDirectory("d"), Status::kNotSupported);
  ExpectSound(volume.files, 3);
}

TEST(Spiffs, RefusesWhatItCannotMount) {
  Volume empty(KiB(64));
  EXPECT_EQ(empty.files.Mount(), Status::kCorrupted);
  Volume volume(KiB(64));
  ASSERT_OK(volume.files.Format());
  Volume longer(KiB(128));
  std::copy(volume.device.bytes.begin(), volume.device.bytes.end(), longer.device.bytes.begin());
  EXPECT_EQ(longer.files.Mount(), Status::kCorrupted) << "a volume of another size";
  Volume other(KiB(64), Pages(512, 4096));
  other.device.bytes = volume.device.bytes;
  EXPECT_EQ(other.files.Mount(), Status::kCorrupted) << "a volume of other pages";
  TestDevice card(OverwritingGeometry(KiB(64), 512));
  SpiffsFileSystem on_card(card, volume.waiter, volume.buffer);
  EXPECT_EQ(on_card.Mount(), Status::kNotSupported);
}

TEST(Spiffs, GivesTheMagicOfTheFormat) {
  Volume volume(KiB(64));
  ASSERT_OK(volume.files.Format());
  // 16 blocks of 4096 bytes: 0x0439, 0x0426, …, with erase count 0 behind.
  EXPECT_EQ(LoadLe32(volume.device.bytes.data() + 0xFC), 0x00000439u);
  EXPECT_EQ(LoadLe32(volume.device.bytes.data() + 0x10FC), 0x00000426u);
}

// What the format's usual tool makes of /b.bin (600 bytes) and /a.txt ("hello"): with superseded
// pages, metadata left erased, and the size in its first index page.
TEST(Spiffs, ReadsAVolumeOfTheUsualTool) {
  Volume volume(KiB(64));
  ASSERT_OK(volume.files.Format());
  uint8_t* const at = volume.device.bytes.data();
  const uint16_t lookup[] = {0, 1, 1, 1, 0, 0x8001, 0x8002, 2};
  for (size_t i = 0; i < 8; ++i) StoreLe16(at + 2 * i, lookup[i]);
  const auto put = [&](uint32_t offset, const Bytes& bytes) {
    std::copy(bytes.begin(), bytes.end(), at + offset);
  };
  const Bytes b_header = {0x01, 0x80, 0, 0,   0xF8, 0,   0,   0,   0x58, 2,
                          0,    0,    1, '/', 'b',  '.', 'b', 'i', 'n'};
  const Bytes a_header = {0x02, 0x80, 0, 0,   0xF8, 0,   0,   0,   5,  0,
                          0,    0,    1, '/', 'a',  '.', 't', 'x', 't'};
  put(0x600, b_header);
  put(0x700, a_header);
  for (const uint32_t header : {0x600u, 0x700u}) {
    std::fill_n(at + header + 19, 26, uint8_t{0});
  }
  put(0x600 + 49, {2, 0, 3, 0, 4, 0});
  put(0x700 + 49, {8, 0});
  put(0x800, {2, 0, 0, 0, 0xFC, 'h', 'e', 'l', 'l', 'o'});
  const Bytes content = MakeBytes(600, 5);
  for (uint32_t span = 0; span < 3; ++span) {
    put(0x200 + span * 0x100, {1, 0, static_cast<uint8_t>(span), 0, 0xFC});
    const size_t begin = span * 251;
    std::copy(content.begin() + static_cast<long>(begin),
              content.begin() + static_cast<long>(std::min<size_t>(begin + 251, 600)),
              at + 0x205 + span * 0x100);
  }
  ASSERT_OK(volume.files.Mount());
  ExpectFile(volume.files, "/b.bin", content);
  ExpectFile(volume.files, "/a.txt", {'h', 'e', 'l', 'l', 'o'});
  ExpectSound(volume.files, 2);
}

/// Most of the volume never changes, and the running number of erases comes to its end meanwhile.
TEST(Spiffs, ErasesEachBlockAsOftenAsTheOthers) {
  constexpr uint32_t kBlockCount = 32;
  constexpr uint32_t kStampOffset = 0xFE;
  Volume volume(kBlockCount * KiB(4));
  volume.device.busy_polls = 0;
  ASSERT_OK(volume.files.Format());
  for (uint32_t block = 0; block < kBlockCount; ++block) {
    StoreLe16(volume.device.bytes.data() + block * KiB(4) + kStampOffset, 0x7A00);
  }
  ASSERT_OK(volume.files.Mount());
  for (const char* const name : {"a", "b", "c"}) {
    ASSERT_OK(WriteFile(volume.files, name, MakeBytes(20000, 7)));
  }
  const auto before = volume.device.erases_at;
  for (uint32_t round = 0; round < 2500; ++round) {
    ASSERT_OK(WriteFile(volume.files, "hot", MakeBytes(2000, round % 9)));
    ASSERT_OK(volume.files.Delete("hot"));
    if (round % 40 != 0) continue;
    ASSERT_OK(volume.files.Mount());
  }
  uint32_t least = UINT32_MAX;
  uint32_t most = 0;
  uint32_t sum = 0;
  for (const auto& [offset, count] : volume.device.erases_at) {
    const uint32_t erases = count - before.at(offset);
    least = std::min(least, erases);
    most = std::max(most, erases);
    sum += erases;
  }
  EXPECT_GT(sum, 0x600u) << "the numbers went round";
  const uint32_t share = sum / kBlockCount;
  EXPECT_LE(most, share + share / 10);
  EXPECT_GE(least, share - share / 10);
  for (const char* const name : {"a", "b", "c"}) {
    ExpectFile(volume.files, name, MakeBytes(20000, 7));
  }
  ExpectSound(volume.files, 3);
}

struct GoldenFile {
  const char* name;
  size_t size_bytes;
  uint32_t fnv1a;
};

// golden/README.md says where the volume comes from.
constexpr GoldenFile kGoldenFiles[] = {
    {"/ren374", 1481, 0x4A33DA36}, {"/ren40", 2208, 0xDB73607B},  {"/ren411", 2168, 0x3BE9C621},
    {"/ren453", 1133, 0x8A0D60D3}, {"/ren491", 1367, 0xF4184929}, {"/ren589", 2358, 0x3C18B830},
    {"/ren6", 1878, 0x500A78DB},   {"/ren631", 2235, 0xE4AA8AE2}, {"/ren907", 148, 0x53547927},
    {"/ren957", 1204, 0xD63F8C1F},
};

TEST(Spiffs, ReadsAndChangesAnAgedVolumeOfTheUsualLibrary) {
  std::ifstream golden(OTA_SOURCE_DIR "/storage/file_system/spiffs/golden/usual_library_64k.spiffs",
                       std::ios::binary);
  Volume volume(KiB(64));
  volume.device.bytes = Bytes(std::istreambuf_iterator<char>(golden), {});
  ASSERT_EQ(volume.device.bytes.size(), KiB(64));
  ASSERT_OK(volume.files.Mount());
  ExpectSound(volume.files, std::size(kGoldenFiles));
  for (const GoldenFile& file : kGoldenFiles) {
    const Result<Bytes> bytes = ReadFile(volume.files, file.name);
    ASSERT_OK(bytes);
    uint32_t hash = 2166136261u;
    for (const uint8_t byte : *bytes) hash = (hash ^ byte) * 16777619u;
    EXPECT_EQ(bytes->size(), file.size_bytes) << file.name;
    EXPECT_EQ(hash, file.fnv1a) << file.name;
  }
  for (uint32_t round = 0; round < 20; ++round) {
    ASSERT_OK(WriteFile(volume.files, "ours", MakeBytes(3000, round)));
    ExpectFile(volume.files, "ours", MakeBytes(3000, round));
    ASSERT_OK(volume.files.Delete("ours"));
  }
  ExpectSound(volume.files, std::size(kGoldenFiles));
}

}  // namespace
}  // namespace ota::storage
