// SPDX-License-Identifier: Apache-2.0
// FAT against tools of others: their volumes read and written by us, ours by them.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/test_files.h"

namespace ota::storage {
namespace {

namespace fs = std::filesystem;

std::string RunAndRead(const std::string& command, int& exit_code) {
  std::string output;
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  char buffer[256];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) output += buffer;
  exit_code = pclose(pipe);
  return output;
}

struct Foreign {
  const char* name;
  uint32_t size_bytes;
  const char* make;  // arguments of mkfs.fat
  FatFormatOptions ours;
};

class FatForeign : public testing::TestWithParam<Foreign> {
 protected:
  void SetUp() override {
    int exit_code = 0;
    (void)RunAndRead("command -v mkfs.fat && command -v mcopy && command -v fsck.fat", exit_code);
    if (exit_code != 0)
      GTEST_SKIP() << "needs dosfstools and mtools: tools/install_packages.sh test";
    folder_ =
        fs::temp_directory_path() / ("ota_fat_" + std::to_string(getpid()) + "_" + GetParam().name);
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  std::string Image() const { return (folder_ / "image").string(); }

  void Run(const std::string& command) {
    int exit_code = 0;
    const std::string output = RunAndRead(command, exit_code);
    EXPECT_EQ(exit_code, 0) << command << "\n" << output;
  }

  void Save(const Bytes& bytes, const fs::path& path) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  Bytes Load(const fs::path& path) {
    std::error_code error;
    const uintmax_t size_bytes = fs::file_size(path, error);
    if (error) return {};
    Bytes bytes(size_bytes);
    std::ifstream(path, std::ios::binary)
        .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }

  fs::path folder_;
  uint8_t buffer_[512];
  SpinWaiter waiter_;
};

FatFormatOptions Kind(FatFormatOptions::Kind kind) {
  FatFormatOptions options;
  options.kind = kind;
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Tools, FatForeign,
    testing::Values(Foreign{"fat12", MiB(2), "-F 12", Kind(FatFormatOptions::Kind::kFat12)},
                    Foreign{"fat12_floppy", KiB(1440), "", {}},
                    Foreign{"fat16", MiB(16), "-F 16", Kind(FatFormatOptions::Kind::kFat16)},
                    Foreign{"fat32", MiB(40), "-F 32 -s 1", Kind(FatFormatOptions::Kind::kFat32)},
                    Foreign{"fat32_1k", MiB(72), "-F 32 -s 2",
                            Kind(FatFormatOptions::Kind::kFat32)}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(FatForeign, ReadsAndChangesTheirVolumes) {
  Save(Bytes(GetParam().size_bytes), Image());
  Run("mkfs.fat " + std::string(GetParam().make) + " " + Image());
  std::map<std::string, Bytes> expected;
  for (uint32_t i = 0; i < 20; ++i) {
    const std::string name = i % 3 == 0   ? "SHORT" + std::to_string(i) + ".BIN"
                             : i % 3 == 1 ? "lower" + std::to_string(i) + ".bin"
                                          : "A long Name of file " + std::to_string(i) + ".tflite";
    expected[name] = MakeBytes(i * 3001, i);
    Save(expected[name], folder_ / name);
    Run("mcopy -i " + Image() + " '" + (folder_ / name).string() + "' ::");
  }
  Run("mmd -i " + Image() + " '::a directory'");
  Run("mcopy -i " + Image() + " '" + (folder_ / "lower7.bin").string() + "' '::a directory'");

  TestDevice device(OverwritingGeometry(GetParam().size_bytes, 512));
  device.bytes = Load(Image());
  FatFileSystem files(device, waiter_, buffer_);
  ASSERT_OK(files.Mount());
  for (const auto& [name, bytes] : expected) ExpectFile(files, name, bytes);
  const auto listed = List(files);
  ASSERT_OK(listed);
  for (const auto& [name, bytes] : expected) EXPECT_TRUE(listed->contains(name)) << name;
  ExpectFile(files, "a directory/lower7.bin", expected["lower7.bin"]);
  ExpectSound(files, 21);

  ASSERT_OK(files.Delete("SHORT3.BIN"));
  ASSERT_OK(files.Rename("lower4.bin", "a directory/renamed by us"));
  const Bytes added = MakeBytes(33333, 77);
  ASSERT_OK(WriteFile(files, "added by us.tflite", added));
  Save(device.bytes, Image());
  Run("fsck.fat -n " + Image());
  Run("mcopy -n -i " + Image() + " '::added by us.tflite' " + (folder_ / "back1").string());
  EXPECT_TRUE(Load(folder_ / "back1") == added);
  Run("mcopy -n -i " + Image() + " '::a directory/renamed by us' " + (folder_ / "back2").string());
  EXPECT_TRUE(Load(folder_ / "back2") == expected["lower4.bin"]);
}

TEST_P(FatForeign, MakesVolumesThatTheyReadAndChange) {
  TestDevice device(OverwritingGeometry(GetParam().size_bytes, 512));
  FatFileSystem files(device, waiter_, buffer_, GetParam().ours);
  ASSERT_OK(files.Format());
  std::map<std::string, Bytes> expected;
  ASSERT_OK(files.CreateDirectory("Models"));
  for (uint32_t i = 0; i < 40; ++i) {
    const std::string name = "Models/" + std::string(i % 2 == 0 ? "KWS" : "keyword spotting ") +
                             std::to_string(i) + ".tflite";
    expected[name] = MakeBytes(i * 1500, i);
    ASSERT_OK(WriteFile(files, name, expected[name]));
  }
  ASSERT_OK(files.Delete("Models/KWS10.tflite"));
  expected.erase("Models/KWS10.tflite");
  Save(device.bytes, Image());
  Run("fsck.fat -n " + Image());
  for (const auto& [name, bytes] : expected) {
    Run("mcopy -n -i " + Image() + " '::" + name + "' " + (folder_ / "back").string());
    EXPECT_TRUE(Load(folder_ / "back") == bytes) << name;
    fs::remove(folder_ / "back");
  }
  Save(MakeBytes(12345, 5), folder_ / "theirs");
  Run("mcopy -i " + Image() + " " + (folder_ / "theirs").string() + " '::Models/Written by them'");
  Run("mdel -i " + Image() + " ::Models/KWS12.tflite");
  device.bytes = Load(Image());
  ASSERT_OK(files.Mount());
  ExpectFile(files, "Models/Written by them", MakeBytes(12345, 5));
  EXPECT_EQ(files.Open("Models/KWS12.tflite").status(), Status::kNotFound);
  ExpectSound(files, 39);
}

TEST_P(FatForeign, MakesPartitionedVolumesThatTheyRead) {
  TestDevice device(OverwritingGeometry(GetParam().size_bytes, 512));
  FatFormatOptions options = GetParam().ours;
  options.is_partitioned = true;
  FatFileSystem files(device, waiter_, buffer_, options);
  ASSERT_OK(files.Format());
  const Bytes bytes = MakeBytes(70000, 4);
  ASSERT_OK(WriteFile(files, "a model.tflite", bytes));
  Save(device.bytes, Image());
  const std::string at = Image() + "@@" + std::to_string(files.layout().volume_offset);
  Run("mcopy -n -i " + at + " '::a model.tflite' " + (folder_ / "back").string());
  EXPECT_TRUE(Load(folder_ / "back") == bytes);
  Save(Bytes(device.bytes.begin() + files.layout().volume_offset, device.bytes.end()), Image());
  Run("fsck.fat -n " + Image());
}

}  // namespace
}  // namespace ota::storage
