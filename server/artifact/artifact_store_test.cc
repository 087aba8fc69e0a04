// SPDX-License-Identifier: Apache-2.0
#include "server/artifact/artifact_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using testing::ElementsAre;

class ArtifactStoreTest : public testing::Test {
 protected:
  std::unique_ptr<ArtifactStore> OpenStore() {
    Expected<std::unique_ptr<ArtifactStore>> store = ArtifactStore::Open(directory_.path());
    EXPECT_TRUE(store.ok());
    return std::move(*store);
  }
  static std::string ReadAll(Artifact& artifact) {
    std::vector<uint8_t> bytes(artifact.size_bytes());
    EXPECT_EQ(artifact.Read(0, bytes), Status::kOk);
    return std::string(bytes.begin(), bytes.end());
  }
  std::vector<std::string> ListedNames() {
    std::vector<std::string> names;
    for (const ArtifactStore::Entry& entry : store_->List()) names.push_back(entry.name);
    return names;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<ArtifactStore> store_ = OpenStore();
};

TEST(ArtifactName, IsRefusedWhenAPathCouldBeMadeOfIt) {
  for (const char* name : {"kws", "_a", "9", "a.b-c_d", "model.v2"}) {
    EXPECT_TRUE(IsArtifactName(name)) << name;
  }
  for (const char* name :
       {"", ".", "..", ".hidden", "-a", "a/b", "a\\b", "a b", "ä", "a\n", "a%"}) {
    EXPECT_FALSE(IsArtifactName(name)) << name;
  }
  EXPECT_TRUE(IsArtifactName(std::string(64, 'a')));
  EXPECT_FALSE(IsArtifactName(std::string(65, 'a')));
  EXPECT_FALSE(IsArtifactName(std::string_view("a\0b", 3)));
}

TEST_F(ArtifactStoreTest, OpensAModelWithItsDigest) {
  directory_.Write("abc.tflite", "abc");
  const auto artifact = store_->OpenArtifact("abc");
  ASSERT_TRUE(artifact.ok());
  EXPECT_EQ((*artifact)->size_bytes(), 3u);
  EXPECT_EQ(ReadAll(**artifact), "abc");
  EXPECT_EQ(HexText((*artifact)->digest()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(ArtifactStoreTest, NeverOpensWhatIsNoPlainModel) {
  directory_.Write("real", "secret");
  directory_.Write("empty.tflite", "");
  std::filesystem::create_symlink(directory_.path("real"), directory_.path("link.tflite"));
  std::filesystem::create_directory(directory_.path("folder.tflite"));
  ASSERT_EQ(mkfifo(directory_.path("fifo.tflite").c_str(), 0600), 0);
  for (const char* name : {"link", "folder", "fifo", "empty", "absent"}) {
    EXPECT_EQ(store_->OpenArtifact(name).status(), Status::kNotFound) << name;
  }
  EXPECT_EQ(store_->OpenArtifact("../real").status(), Status::kNameInvalid);
  EXPECT_THAT(ListedNames(), ElementsAre());
}

TEST_F(ArtifactStoreTest, ListsModelsThatComeAndGo) {
  directory_.Write("b.tflite", "2");
  directory_.Write("a.tflite", "1");
  directory_.Write("other.txt", "no model");
  EXPECT_THAT(ListedNames(), ElementsAre("a", "b"));
  std::filesystem::remove(directory_.path("a.tflite"));
  directory_.Write("c.tflite", "3");
  EXPECT_THAT(ListedNames(), ElementsAre("b", "c"));
}

TEST_F(ArtifactStoreTest, KeepsTheOldVersionReadableWhenItIsReplaced) {
  directory_.Write("m.tflite", "first version");
  const auto first = store_->OpenArtifact("m");
  ASSERT_TRUE(first.ok());
  directory_.Replace("m.tflite", "other version");
  const auto second = store_->OpenArtifact("m");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(ReadAll(**first), "first version");
  EXPECT_EQ(ReadAll(**second), "other version");
  EXPECT_NE((*first)->digest(), (*second)->digest());
}

TEST_F(ArtifactStoreTest, NeverMixesVersionsWhenOneIsOverwrittenInPlace) {
  directory_.Write("m.tflite", "first version");
  const auto first = store_->OpenArtifact("m");
  ASSERT_TRUE(first.ok());
  directory_.Write("m.tflite", "other version");
  std::vector<uint8_t> byte(1);
  EXPECT_EQ((*first)->Read(0, byte), Status::kArtifactChanged);
  const auto second = store_->OpenArtifact("m");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)->digest(), ComputeDigest("other version"));
}

TEST_F(ArtifactStoreTest, RefusesReadsPastTheEnd) {
  directory_.Write("m.tflite", "0123456789");
  const auto artifact = store_->OpenArtifact("m");
  ASSERT_TRUE(artifact.ok());
  std::vector<uint8_t> bytes(4);
  EXPECT_EQ((*artifact)->Read(6, bytes), Status::kOk);
  EXPECT_EQ((*artifact)->Read(7, bytes), Status::kOutOfRange);
  EXPECT_EQ((*artifact)->Read(UINT32_MAX, bytes), Status::kOutOfRange);
}

TEST_F(ArtifactStoreTest, SaysWhichDirectoryCannotBeOpened) {
  const auto store = ArtifactStore::Open(directory_.path("absent"));
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(store.error().message, testing::HasSubstr("absent: No such file or directory"));
}

}  // namespace
}  // namespace ota::server
