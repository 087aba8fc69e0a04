// SPDX-License-Identifier: Apache-2.0
#include "cli/volume_image.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/prng.h"
#include "cli/commands.h"

namespace ota::cli {
namespace {

std::vector<uint8_t> MakeBytes(size_t count, uint32_t seed) {
  Prng prng(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(prng.Next() >> 9);
  return bytes;
}

struct Case {
  const char* name;
  uint32_t size_bytes;
  ImageOptions options;
  const char* description;
};

ImageOptions Of(ImageKind kind) {
  ImageOptions options;
  options.kind = kind;
  return options;
}
ImageOptions Plain(ImageKind kind) {
  ImageOptions options = Of(kind);
  options.is_plain = true;
  return options;
}
ImageOptions Partitioned() {
  ImageOptions options;
  options.is_partitioned = true;
  options.fat_bits = 16;
  return options;
}
ImageOptions Esp8266() {
  ImageOptions options = Of(ImageKind::kSpiffs);
  options.is_esp8266 = true;
  options.block_bytes = 8192;
  return options;
}
ImageOptions RawOf(uint32_t erase_unit, uint32_t program_unit) {
  ImageOptions options = Of(ImageKind::kRaw);
  options.erase_unit = erase_unit;
  options.program_unit = program_unit;
  return options;
}

class Images : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    VolumeImage, Images,
    testing::Values(Case{"fat12", 1 << 20, Of(ImageKind::kFat), "FAT12"},
                    Case{"fat16_partitioned", 16 << 20, Partitioned(), "FAT16"},
                    Case{"spiffs", 1 << 20, Of(ImageKind::kSpiffs), "SPIFFS, pages of 256"},
                    Case{"spiffs_esp8266", 1 << 20, Esp8266(), "SPIFFS, pages of 256"},
                    Case{"eefs", 1 << 18, Of(ImageKind::kEefs), "EEFS, a model store of"},
                    Case{"fat12_plain", 1 << 20, Plain(ImageKind::kFat), "FAT12"},
                    Case{"spiffs_plain", 1 << 20, Plain(ImageKind::kSpiffs), "SPIFFS"},
                    Case{"eefs_plain", 1 << 18, Plain(ImageKind::kEefs), "EEFS"},
                    Case{"raw_nor", 1 << 20, RawOf(4096, 256), "raw model store"},
                    Case{"raw_stm32h7", 2 << 20, RawOf(131072, 32), "raw model store"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(Images, AreReadBackWithoutBeingToldWhatTheyAre) {
  const auto made = VolumeImage::Make(GetParam().size_bytes, GetParam().options);
  made->Add("kws", MakeBytes(30000, 1));
  made->Add("person", MakeBytes(100001, 2));
  made->Seal();
  EXPECT_EQ(made->bytes().size(), GetParam().size_bytes);
  const auto opened = VolumeImage::Open(made->bytes(), "image");
  EXPECT_TRUE(opened->description().starts_with(GetParam().description)) << opened->description();
  EXPECT_EQ(opened->List().size(), 2u);
  EXPECT_EQ(opened->Read("kws"), MakeBytes(30000, 1));
  EXPECT_EQ(opened->Read("person"), MakeBytes(100001, 2));
  EXPECT_TRUE(opened->Check(false).is_sound);
  EXPECT_THROW(opened->Read("none"), CommandError);
}

TEST_P(Images, SayWhatDoesNotFit) {
  const auto made = VolumeImage::Make(GetParam().size_bytes, GetParam().options);
  try {
    made->Add("large", MakeBytes(GetParam().size_bytes, 1));
    FAIL() << "it cannot have fitted";
  } catch (const CommandError& error) {
    EXPECT_NE(std::string(error.what()).find("no room for large"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("--size"), std::string::npos);
  }
}

TEST_P(Images, HoldAStoreUnlessTheyArePlain) {
  const auto made = VolumeImage::Make(GetParam().size_bytes, GetParam().options);
  made->Add("kws", MakeBytes(30000, 1));
  const auto entries = VolumeImage::Open(made->bytes(), "image")->List();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].state, GetParam().options.is_plain ? "" : "confirmed");
  const bool has_container = made->description().find("models.ota") != std::string::npos;
  if (has_container) {
    EXPECT_GT(made->Read("models.ota").size(), 30000u) << "others see it as a file";
  }
}

TEST(VolumeImage, FindsTheModelOfAStoreThatWasDamaged) {
  for (const ImageKind kind : {ImageKind::kFat, ImageKind::kEefs, ImageKind::kSpiffs}) {
    const auto made = VolumeImage::Make(1 << 20, Of(kind));
    const auto model = MakeBytes(30000, 1);
    made->Add("kws", model);
    std::vector<uint8_t> bytes = made->bytes();
    const auto at = std::search(bytes.begin(), bytes.end(), model.begin(), model.begin() + 64);
    ASSERT_NE(at, bytes.end());
    *at ^= 1;
    const ImageCheck check = VolumeImage::Open(bytes, "image")->Check(false);
    EXPECT_FALSE(check.is_sound);
    EXPECT_EQ(check.model_count, 1u);
    ASSERT_EQ(check.findings.size(), 1u);
    EXPECT_NE(check.findings[0].find("kws"), std::string::npos);
  }
}

TEST(VolumeImage, TakesAStoreOfTheSizeAskedFor) {
  ImageOptions options = Of(ImageKind::kFat);
  options.store_bytes = 256 * 1024;
  const auto made = VolumeImage::Make(1 << 20, options);
  EXPECT_EQ(made->Read("models.ota").size(), 256u * 1024);
  options.store_bytes = 4 << 20;
  EXPECT_THROW(VolumeImage::Make(1 << 20, options), CommandError);
}

TEST(VolumeImage, RefusesWhatIsNoImage) {
  EXPECT_THROW(VolumeImage::Open(MakeBytes(100000, 3), "noise"), CommandError);
  EXPECT_THROW(VolumeImage::Open({}, "empty"), CommandError);
  EXPECT_THROW(VolumeImage::Make(100, Of(ImageKind::kFat)), CommandError);
  EXPECT_THROW(VolumeImage::Make(100, Of(ImageKind::kSpiffs)), CommandError);
  EXPECT_THROW(VolumeImage::Make(100, Of(ImageKind::kEefs)), CommandError);
  EXPECT_THROW(VolumeImage::Make(5000, Of(ImageKind::kRaw)), CommandError);
}

TEST(VolumeImage, ReadsSizes) {
  EXPECT_EQ(ParseSize("4M"), 4u << 20);
  EXPECT_EQ(ParseSize("512KiB"), 512u << 10);
  EXPECT_EQ(ParseSize("65536"), 65536u);
  for (const char* const text : {"", "M", "-1", "4G", "0", "1.5M", "5000M"}) {
    EXPECT_THROW(ParseSize(text), CommandError) << text;
  }
}

}  // namespace
}  // namespace ota::cli
