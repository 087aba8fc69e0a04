// SPDX-License-Identifier: Apache-2.0
#include "cli/medium.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/commands.h"
#include "cli/volume_image.h"
#include "simulator/board/virtual_board.h"

namespace ota::cli {
namespace {

namespace fs = std::filesystem;
using simulator::FindBoard;
using simulator::VirtualBoard;

class MediumTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(directory_); }
  void TearDown() override { fs::remove_all(directory_); }

  /// An image with one model, as `image build` makes it.
  std::string MakeImage(uint32_t size_bytes, ImageOptions options) {
    options.is_plain = is_plain_;
    const auto image = VolumeImage::Make(size_bytes, options);
    image->Add(options.is_plain ? "kws.tflite" : "kws", model_);
    image->Seal();
    const std::string path = directory_ + "/medium.img";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(image->bytes().data()),
               static_cast<std::streamsize>(image->bytes().size()));
    return path;
  }

  void ExpectModelOn(const char* id, const std::string& image) {
    const std::string state = directory_ + '/' + id;
    fs::remove_all(state);
    InstallMedium(*FindBoard(id), state, image);
    VirtualBoard board(*FindBoard(id), state);
    ASSERT_EQ(board.Boot(), Status::kOk) << id;
    EXPECT_EQ(board.was_formatted(), is_plain_) << id << ": a store is there, or is to be made";
    const auto info = board.store().FindImage("kws", storage::ImageChoice::kConfirmed);
    ASSERT_TRUE(info.ok()) << id;
    EXPECT_EQ(info->digest, crypto::ComputeSha256(model_));
    EXPECT_THROW(InstallMedium(*FindBoard(id), state, image), CommandError)
        << "never over a medium that is there";
  }

  const std::string directory_ =
      (fs::temp_directory_path() / ("medium_test_" + std::to_string(getpid()) + '_' +
                                    testing::UnitTest::GetInstance()->current_test_info()->name()))
          .string();
  bool is_plain_ = false;
  const std::vector<uint8_t> model_ = std::vector<uint8_t>(5000, 7);
};

TEST_F(MediumTest, BoardsStartFromImagesOfEveryKind) {
  ImageOptions teensy{.kind = ImageKind::kRaw, .erase_unit = 4096, .program_unit = 1};
  ExpectModelOn("B1", MakeImage(1536 * 1024, teensy));
  ImageOptions stm32{.kind = ImageKind::kRaw, .erase_unit = 128 * 1024, .program_unit = 32};
  ExpectModelOn("B2", MakeImage(1536 * 1024, stm32));
  ExpectModelOn("B3", MakeImage(16 << 20, {.kind = ImageKind::kFat}));
  ExpectModelOn("B4", MakeImage(512 * 1024, {.kind = ImageKind::kEefs, .is_little_endian = true}));
  ExpectModelOn("B5", MakeImage(3008 * 1024, {.kind = ImageKind::kSpiffs}));
  ExpectModelOn("B6", MakeImage(512 * 1024, {.kind = ImageKind::kEefs}));
  ExpectModelOn("B7", MakeImage(16 << 20, {.kind = ImageKind::kFat, .is_partitioned = true}));
}

TEST_F(MediumTest, BoardsTakeTheFilesOfPlainImages) {
  is_plain_ = true;
  ExpectModelOn("B3", MakeImage(16 << 20, {.kind = ImageKind::kFat}));
  ExpectModelOn("B4", MakeImage(512 * 1024, {.kind = ImageKind::kEefs, .is_little_endian = true}));
  ExpectModelOn("B5", MakeImage(3008 * 1024, {.kind = ImageKind::kSpiffs}));
}

TEST_F(MediumTest, AnImageOfAnotherSizeIsRefusedWithTheOneItShouldHave) {
  const std::string image = MakeImage(64 * 1024, {.kind = ImageKind::kSpiffs});
  try {
    InstallMedium(*FindBoard("B5"), directory_ + "/state", image);
    FAIL() << "it was taken";
  } catch (const CommandError& error) {
    EXPECT_NE(std::string(error.what()).find("--fs spiffs --size 3008K"), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(directory_ + "/state"));
  EXPECT_THROW(InstallMedium(*FindBoard("B5"), directory_ + "/state", "no such file"),
               CommandError);
}

}  // namespace
}  // namespace ota::cli
