// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/eefs/eefs_file_system.h"

#include <gtest/gtest.h>

#include "storage/file_system/test_power_cut.h"

namespace ota::storage {
namespace {

struct Volume {
  explicit Volume(uint32_t size_bytes, const EefsOptions& options = {}, uint32_t unit = 1)
      : device(OverwritingGeometry(size_bytes, unit)), files(device, waiter, options) {
    device.busy_polls = 2;
  }
  SpinWaiter waiter;
  TestDevice device;
  EefsFileSystem files;
};

EefsOptions LittleEndian() { return {EefsOptions::ByteOrder::kLittle, 64}; }

// Two files as the format's image builder lays them out: room for 10 more bytes in the first, the
// second read only. 1024 bytes, made at 1700000000.
Status MakeReferenceVolume(EefsFileSystem& files) {
  files.set_time_s(1700000000);
  OTA_TRY(files.Format());
  const std::string hello = "hello";
  const std::string payload = "EEFS test payload 123";
  OTA_TRY(File first, files.Create("a.txt", 15));
  OTA_TRY(files.Append(first, Bytes(hello.begin(), hello.end())));
  OTA_TRY(files.Sync(first));
  OTA_TRY(WriteFile(files, "boot.bin", Bytes(payload.begin(), payload.end())));
  OTA_TRY(files.SetReadOnly("boot.bin", true));
  return files.WriteTableCrc();
}

TEST(Eefs, MakesTheBytesOfTheImageBuilder) {
  Volume volume(1024);
  ASSERT_OK(MakeReferenceVolume(volume.files));
  const uint8_t* const at = volume.device.bytes.data();
  const uint32_t table[] = {0xFFFFD11F, 0xEEF51234, 1,     0x2C0, 0x140, 2,
                            0x218,      0x10,       0x268, 0x18,  0};
  for (size_t i = 0; i < std::size(table); ++i) EXPECT_EQ(LoadBe32(at + 4 * i), table[i]) << i;
  const uint32_t first[] = {0, 1, 0, 5, 0x6553F100, 0x6553F100};
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(LoadBe32(at + 0x218 + 4 * i), first[i]) << i;
  EXPECT_STREQ(reinterpret_cast<const char*>(at + 0x230), "a.txt");
  EXPECT_EQ(std::string(at + 0x258, at + 0x25D), "hello");
  const uint32_t second[] = {0, 1, 1, 0x15, 0x6553F100, 0x6553F100};
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(LoadBe32(at + 0x268 + 4 * i), second[i]) << i;
  EXPECT_EQ(std::string(at + 0x2A8, at + 0x2BD), "EEFS test payload 123");
  for (size_t i = 0x2BD; i < 1024; ++i) EXPECT_EQ(at[i], 0) << i;
}

TEST(Eefs, MakesTheSameInTheOtherByteOrder) {
  Volume volume(1024, LittleEndian());
  ASSERT_OK(MakeReferenceVolume(volume.files));
  EXPECT_EQ(LoadLe32(volume.device.bytes.data()), 0xFFFFF0F8u);
  Volume reader(1024);
  reader.device.bytes = volume.device.bytes;
  ASSERT_OK(reader.files.Mount());
  const Result<bool> is_pristine = reader.files.ReadIsPristine();
  ASSERT_OK(is_pristine);
  EXPECT_TRUE(*is_pristine);
  ExpectFile(reader.files, "a.txt", {'h', 'e', 'l', 'l', 'o'});
  EXPECT_EQ(reader.files.Delete("boot.bin"), Status::kNotSupported);
  ASSERT_OK(reader.files.Delete("a.txt"));
  const Result<bool> is_still = reader.files.ReadIsPristine();
  ASSERT_OK(is_still);
  EXPECT_FALSE(*is_still);
}

class EefsUnits : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Eefs, EefsUnits, testing::Values(1, 8, 32));

TEST_P(EefsUnits, KeepsFilesOverAMount) {
  Volume volume(KiB(64), {}, GetParam());
  ASSERT_OK(volume.files.Format());
  std::map<std::string, Bytes> expected;
  for (uint32_t i = 1; i < 20; ++i) {
    const std::string name = "model " + std::to_string(i);
    expected[name] = MakeBytes(i * 137, i);
    ASSERT_OK(WriteFile(volume.files, name, expected[name], 61));
  }
  Volume again(KiB(64), {}, GetParam());
  again.device.bytes = volume.device.bytes;
  ASSERT_OK(again.files.Mount());
  for (const auto& [name, bytes] : expected) ExpectFile(again.files, name, bytes);
  ExpectSound(again.files, 19);
  Volume bytewise(KiB(64));
  bytewise.device.bytes = volume.device.bytes;
  ASSERT_OK(bytewise.files.Mount());
  for (const auto& [name, bytes] : expected) {
    const Result<Bytes> by_extents = ReadByExtents(bytewise.files, bytewise.device, name);
    ASSERT_OK(by_extents);
    EXPECT_TRUE(*by_extents == bytes);
  }
}

TEST(Eefs, KeepsToItsSlots) {
  Volume volume(KiB(4), {EefsOptions::ByteOrder::kBig, 3});
  ASSERT_OK(volume.files.Format());
  const Result<VolumeSpace> space = volume.files.ReadSpace();
  ASSERT_OK(space);
  EXPECT_EQ(space->free_bytes, 4096u - 48 - 64);
  EXPECT_EQ(space->file_count_max, 3u);
  EXPECT_EQ(volume.files.Create("a", space->free_bytes + 1).status(), Status::kStorageFull);
  Result<File> file = volume.files.Create("a", 99);
  ASSERT_OK(file);
  EXPECT_EQ(file->capacity_bytes, 100u);
  EXPECT_EQ(volume.files.Append(*file, MakeBytes(101, 1)), Status::kStorageFull);
  ASSERT_OK(volume.files.Append(*file, MakeBytes(100, 1)));
  ASSERT_OK(volume.files.Sync(*file));
  ASSERT_OK(WriteFile(volume.files, "b", MakeBytes(300, 2)));
  ASSERT_OK(WriteFile(volume.files, "c", MakeBytes(10, 3)));
  EXPECT_EQ(volume.files.Create("d", 10).status(), Status::kStorageFull) << "no place in the table";
  ASSERT_OK(volume.files.Delete("b"));
  EXPECT_EQ(volume.files.Create("d", 301).status(), Status::kStorageFull);
  ASSERT_OK(WriteFile(volume.files, "d", MakeBytes(300, 4)));
  ExpectFile(volume.files, "a", MakeBytes(100, 1));
  ExpectFile(volume.files, "c", MakeBytes(10, 3));
  ExpectFile(volume.files, "d", MakeBytes(300, 4));
}

TEST(Eefs, RenamesAndRefuses) {
  Volume volume(KiB(4));
  ASSERT_OK(volume.files.Format());
  ASSERT_OK(WriteFile(volume.files, "one", MakeBytes(30, 1)));
  ASSERT_OK(WriteFile(volume.files, "two", MakeBytes(30, 2)));
  EXPECT_EQ(volume.files.Rename("one", "two"), Status::kAlreadyExists);
  ASSERT_OK(volume.files.Rename("one", "a much longer name"));
  ExpectFile(volume.files, "a much longer name", MakeBytes(30, 1));
  EXPECT_EQ(volume.files.Open("one").status(), Status::kNotFound);
  EXPECT_EQ(volume.files.Create(std::string(40, 'x'), 1).status(), Status::kNameInvalid);
  EXPECT_OK(volume.files.Create(std::string(39, 'x'), 1));
}

TEST(Eefs, RefusesBrokenTables) {
  Volume empty(KiB(4));
  EXPECT_EQ(empty.files.Mount(), Status::kCorrupted);
  const auto mount_with = [](uint32_t offset, uint32_t value) {
    Volume volume(1024);
    EXPECT_OK(MakeReferenceVolume(volume.files));
    StoreBe32(volume.device.bytes.data() + offset, value);
    return volume.files.Mount();
  };
  EXPECT_EQ(mount_with(8, 2), Status::kCorrupted) << "version";
  EXPECT_EQ(mount_with(20, 65), Status::kCorrupted) << "count";
  EXPECT_EQ(mount_with(24, 4), Status::kCorrupted) << "slot in the table";
  EXPECT_EQ(mount_with(32, 0x219), Status::kCorrupted) << "overlapping, unaligned";
  EXPECT_EQ(mount_with(36, 0xFFFFFFFC), Status::kCorrupted) << "past the end";
  EXPECT_EQ(mount_with(12, 0x300), Status::kOk) << "a torn free offset is found anew";
  Volume volume(1024);
  ASSERT_OK(MakeReferenceVolume(volume.files));
  StoreBe32(volume.device.bytes.data() + 0x218 + 12, 17);
  EXPECT_EQ(volume.files.Open("a.txt").status(), Status::kCorrupted) << "size beyond the slot";
}

// The harness's cases, less what the format cannot promise: it says so in the header.
TEST(Eefs, KeepsItsPromisesAtEachByte) {
  PowerCutHarness harness;
  harness.geometry = OverwritingGeometry(KiB(8), 1);
  harness.with_files = [](BlockDevice& device, const std::function<void(FileSystem&)>& use) {
    SpinWaiter waiter;
    EefsFileSystem files(device, waiter);
    use(files);
  };
  harness.others = {{"other one", MakeBytes(180, 1)}, {"other two", MakeBytes(251, 2)}};
  const Bytes content = MakeBytes(900, 7);
  const Bytes old_content(content.begin(), content.begin() + 0x1FF);
  const Bytes start = harness.Prepare([&](FileSystem& files) -> Status {
    OTA_TRY(File file, files.Create("old file", 900));
    OTA_TRY(files.Append(file, old_content));
    return files.Sync(file);
  });
  for (const PowerCutCase& test : StandardPowerCutCases(old_content, content)) {
    // A size or a name may be torn; that the other files are safe is verified there too.
    const bool is_exact = test.name == "create" || test.name == "delete";
    harness.RunAll(test, start, is_exact ? Tear::kWhole : Tear::kPrefix, 1);
    if (HasFailure()) return;
  }
}

TEST(Eefs, NeverLosesSyncedBytesInASync) {
  Volume volume(KiB(8));
  ASSERT_OK(volume.files.Format());
  const Bytes content = MakeBytes(900, 7);
  Result<File> file = volume.files.Create("file", 900);
  ASSERT_OK(file);
  ASSERT_OK(volume.files.Append(*file, ByteSpan(content).first(0x1FF)));
  ASSERT_OK(volume.files.Sync(*file));
  ASSERT_OK(volume.files.Append(*file, ByteSpan(content).subspan(0x1FF)));
  const Bytes start = volume.device.bytes;
  for (uint64_t cut = 0; cut < 8; ++cut) {
    volume.device.bytes = start;
    volume.device.cut_at = volume.device.changed_bytes + cut;
    File copy = *file;
    EXPECT_EQ(volume.files.Sync(copy), Status::kMediumFailed);
    volume.device.Restore();
    ASSERT_OK(volume.files.Mount());
    ASSERT_OK(CheckWhole(volume.files, CheckMode::kRepair));
    const Result<File> found = volume.files.Open("file");
    ASSERT_OK(found);
    EXPECT_GE(found->size_bytes, 0x1FFu);
  }
}

}  // namespace
}  // namespace ota::storage
