// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/image_cipher.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/file_system/test_device.h"
#include "storage/model_store/file_model_store.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

constexpr crypto::AesKey kKey = {1, 2, 3};
constexpr crypto::AesKey kOtherKey = {1, 2, 4};

Status Mount(FlashWorld& world, ImageCipher* cipher) {
  world.Restart();
  if (cipher != nullptr) world.store().UseCipher(*cipher);
  return RunToEnd([&] { return world.store().Mount(); });
}

/// Whether eight bytes in a row of the model lie anywhere on the medium.
bool HoldsPartOf(ByteSpan medium, const std::vector<uint8_t>& model) {
  for (size_t at = 0; at + 8 <= model.size(); at += 8) {
    const auto part = model.begin() + static_cast<std::ptrdiff_t>(at);
    if (std::search(medium.begin(), medium.end(), part, part + 8) != medium.end()) return true;
  }
  return false;
}

class ImageCipherTest : public testing::Test {
 protected:
  void SetUp() override {
    world_.store().UseCipher(cipher_);
    ASSERT_EQ(world_.Format(), Status::kOk);
  }

  AesImageCipher cipher_{kKey};
  FlashWorld world_{simulator::kNrf52840Flash, KiB(256)};
};

TEST_F(ImageCipherTest, NothingOfAModelIsReadableOnTheMedium) {
  const auto model = MakeModel(9001, 1);
  ASSERT_EQ(InstallModel(world_.store(), "kws", model), Status::kOk);
  EXPECT_FALSE(HoldsPartOf(world_.flash().nor().bytes(), model));
  EXPECT_TRUE(*ReadModel(world_.store(), "kws") == model);
  FlashWorld plain(simulator::kNrf52840Flash, KiB(256));
  ASSERT_EQ(plain.Format(), Status::kOk);
  ASSERT_EQ(InstallModel(plain.store(), "kws", model), Status::kOk);
  EXPECT_TRUE(HoldsPartOf(plain.flash().nor().bytes(), model)) << "so the search can find it";
}

TEST_F(ImageCipherTest, IsReadInAnyOrderButNotMapped) {
  const auto model = MakeModel(9001, 1);
  ASSERT_EQ(InstallModel(world_.store(), "kws", model), Status::kOk);
  ASSERT_EQ(InstallModel(world_.store(), "wand", MakeModel(900, 2)), Status::kOk);
  ByteSource* const source = *world_.store().Open("kws", ImageChoice::kInUse);
  ByteSource* const other = *world_.store().Open("wand", ImageChoice::kInUse);
  EXPECT_FALSE(source->Map().has_value());
  Prng prng(3);
  for (int i = 0; i < 100; ++i) {
    const uint32_t offset = prng.NextBelow(9001);
    std::vector<uint8_t> bytes(1 + prng.NextBelow(9001 - offset));
    ASSERT_EQ(source->Read(offset, bytes), Status::kOk);
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), model.begin() + offset)) << offset;
    ASSERT_EQ(other->Read(0, MutableByteSpan(bytes).first(1)), Status::kOk);
    ASSERT_EQ(bytes[0], MakeModel(900, 2)[0]);
  }
}

TEST_F(ImageCipherTest, AnotherKeyOrNoneDoesNotMount) {
  ASSERT_EQ(InstallModel(world_.store(), "kws", MakeModel(9001, 1)), Status::kOk);
  AesImageCipher other(kOtherKey);
  EXPECT_EQ(Mount(world_, &other), Status::kNotSupported);
  EXPECT_EQ(Mount(world_, nullptr), Status::kNotSupported);
  EXPECT_EQ(Mount(world_, &cipher_), Status::kOk);
  EXPECT_TRUE(*ReadModel(world_.store(), "kws") == MakeModel(9001, 1));
  FlashWorld plain(simulator::kNrf52840Flash, KiB(256));
  ASSERT_EQ(plain.Format(), Status::kOk);
  EXPECT_EQ(Mount(plain, &cipher_), Status::kNotSupported);
}

TEST_F(ImageCipherTest, ResumesAndScrubs) {
  const auto model = MakeModel(50000, 1);
  ModelStore* store = &world_.store();
  ASSERT_EQ(RunToEnd([&] { return store->Begin(MakeRequest("kws", model)); }), Status::kOk);
  while (store->staged_bytes() < 33000) {
    (void)store->Append(ByteSpan(model).subspan(store->staged_bytes(), 101));  // until 33000
  }
  ASSERT_EQ(Mount(world_, &cipher_), Status::kOk);
  store = &world_.store();
  ASSERT_EQ(RunToEnd([&] { return store->Resume(); }), Status::kOk);
  EXPECT_EQ(store->staged_bytes(), 32768u);
  ASSERT_EQ(AppendRest(*store, model, 999), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return store->Finish(); }), Status::kOk);
  ASSERT_EQ(InstallModel(*store, "wand", MakeModel(900, 2)), Status::kOk);
  EXPECT_TRUE(*ReadModel(*store, "kws", ImageChoice::kCandidate) == model);
  ScrubReport report;
  ASSERT_EQ(RunToEnd([&] { return store->Scrub(report); }), Status::kOk);
  EXPECT_EQ(report.image_count, 2u);
  EXPECT_EQ(report.damaged_image_count, 0u);
}

TEST_F(ImageCipherTest, OneImageTwiceIsTwoCiphertexts) {
  const auto start_of = [](uint8_t digest_byte, uint64_t nonce) {
    StageRequest request;
    request.digest[11] = digest_byte;
    RecordBytes image;
    EncodeImage(request, 0, nonce, image);
    return ComputeCipherStart(image);
  };
  EXPECT_NE(start_of(0, 65536), start_of(0, 65537));
  EXPECT_NE(start_of(0, 65536), start_of(1, 65536)) << "as after another Format";
}

TEST(ImageCipher, EncryptsFilesToo) {
  TestDevice device(NorGeometry(KiB(256), KiB(4)));
  SpinWaiter waiter;
  uint8_t page[256];
  uint8_t workspace[512];
  std::array<Extent, 40> extents;
  SpiffsFileSystem files(device, waiter, page);
  FileModelStore store(files, device, waiter, workspace, extents);
  AesImageCipher cipher(kKey);
  store.UseCipher(cipher);
  ASSERT_EQ(RunToEnd([&] { return store.Format(); }), Status::kOk);
  const auto model = MakeModel(9001, 1);
  ASSERT_EQ(InstallModel(store, "kws", model), Status::kOk);
  EXPECT_FALSE(HoldsPartOf(device.bytes, model));
  ASSERT_EQ(RunToEnd([&] { return store.Mount(); }), Status::kOk);
  EXPECT_TRUE(*ReadModel(store, "kws") == model);
}

}  // namespace
}  // namespace ota::storage
