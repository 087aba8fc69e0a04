// SPDX-License-Identifier: Apache-2.0
#include "server/transparency_log/transparency_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/es256.h"
#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using testing::HasSubstr;

std::vector<uint8_t> Entry(uint64_t number) {
  const std::string text = "manifest " + std::to_string(number) + std::string(number % 50, '.');
  return {text.begin(), text.end()};
}

class TransparencyLogTest : public testing::Test {
 protected:
  Expected<std::unique_ptr<TransparencyLog>> TryOpen() {
    return TransparencyLog::Open(directory_.path("log"));
  }
  std::unique_ptr<TransparencyLog> Open() {
    Expected<std::unique_ptr<TransparencyLog>> log = TryOpen();
    EXPECT_TRUE(log.ok()) << (log.ok() ? "" : log.error().message);
    return log.ok() ? std::move(*log) : nullptr;
  }
  static void AppendMany(TransparencyLog& log, uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) {
      Expected<uint64_t> index = log.Append(Entry(i));
      ASSERT_TRUE(index.ok());
      EXPECT_EQ(*index, i);
    }
  }
  static bool IsSigned(const TransparencyLog& log, const TreeHead& head) {
    return IsOk(crypto::VerifyEs256(log.public_key(), ComputeSigningDigest(head), head.signature));
  }
  TemporaryDirectory directory_;
};

TEST_F(TransparencyLogTest, KeepsEntriesOverARestart) {
  auto log = Open();
  EXPECT_EQ(log->ReadHead().size, 0u);
  AppendMany(*log, 0, 10);
  const TreeHead before = log->ReadHead();
  EXPECT_EQ(before.size, 10u);
  EXPECT_TRUE(IsSigned(*log, before));
  log = Open();
  EXPECT_EQ(log->ReadHead().root, before.root);
  EXPECT_TRUE(IsSigned(*log, log->ReadHead()));
  EXPECT_EQ(*log->ReadEntry(7), Entry(7));
  EXPECT_EQ(log->ReadEntry(10).status(), Status::kNotFound);
}

TEST_F(TransparencyLogTest, GivesAnEntryOneNumber) {
  const auto log = Open();
  AppendMany(*log, 0, 3);
  EXPECT_EQ(*log->Append(Entry(1)), 1u);
  EXPECT_EQ(log->ReadHead().size, 3u);
  EXPECT_FALSE(log->Append(std::vector<uint8_t>(kLogEntryBytesMax + 1)).ok());
}

TEST_F(TransparencyLogTest, ProvesWhatItHas) {
  const auto log = Open();
  AppendMany(*log, 0, 13);
  const TreeHead old = log->ReadHead();
  AppendMany(*log, 13, 29);
  const TreeHead head = log->ReadHead();
  const Digest leaf = ComputeLeafDigest(Entry(5));
  const auto inclusion = log->ProveInclusion(leaf, head.size);
  ASSERT_TRUE(inclusion.ok());
  EXPECT_TRUE(VerifyInclusion(leaf, inclusion->index, head.size, inclusion->path, head.root));
  const auto consistency = log->ProveConsistency(old.size, head.size);
  ASSERT_TRUE(consistency.ok());
  EXPECT_TRUE(VerifyConsistency(old.size, old.root, head.size, head.root, *consistency));
  EXPECT_EQ(log->ProveInclusion(leaf, 5).status(), Status::kNotFound);
  EXPECT_EQ(log->ProveInclusion(ComputeLeafDigest(Entry(99)), 29).status(), Status::kNotFound);
  EXPECT_EQ(log->ProveInclusion(leaf, 30).status(), Status::kNotFound);
  EXPECT_EQ(log->ProveConsistency(3, 30).status(), Status::kNotFound);
  EXPECT_EQ(log->ProveConsistency(4, 3).status(), Status::kNotFound);
}

TEST_F(TransparencyLogTest, CutsATornTailAtEachByte) {
  AppendMany(*Open(), 0, 3);
  const std::string entries = directory_.Read("log/entries");
  const std::string head = directory_.Read("log/head");
  AppendMany(*Open(), 3, 4);
  const std::string longer = directory_.Read("log/entries");
  for (size_t size = entries.size(); size < longer.size(); ++size) {
    // Cut off there, or followed by what a file system may leave behind.
    const std::string tail = size % 3 == 0 ? "" : std::string(9, size % 3 == 1 ? '\0' : '\xFF');
    directory_.Write("log/head", head);
    directory_.Write("log/entries", longer.substr(0, size) + tail);
    const auto log = Open();
    ASSERT_TRUE(log);
    ASSERT_EQ(log->ReadHead().size, 3u) << size;
    ASSERT_EQ(directory_.Read("log/entries"), entries);
    if (size % 8 == 0) AppendMany(*log, 3, 4);
  }
  // Whole, but its head was not written any more: kept.
  directory_.Write("log/head", head);
  directory_.Write("log/entries", longer);
  EXPECT_EQ(Open()->ReadHead().size, 4u);
}

TEST_F(TransparencyLogTest, RefusesToStartWhenAnAcknowledgedByteChanged) {
  AppendMany(*Open(), 0, 4);
  const std::string entries = directory_.Read("log/entries");
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string altered = entries;
    altered[i] = static_cast<char>(altered[i] ^ 0x10);
    directory_.Write("log/entries", altered);
    ASSERT_FALSE(TryOpen().ok()) << "byte " << i;
  }
  directory_.Write("log/entries", entries);
  EXPECT_TRUE(TryOpen().ok());
  std::string head = directory_.Read("log/head");
  head[head.find("\"size\": 4") + 8] = '3';
  directory_.Write("log/head", head);
  EXPECT_THAT(TryOpen().error().message, HasSubstr("its head is not signed by its key"));
}

TEST_F(TransparencyLogTest, KeepsItsKeyToItsOwnerAndNeverReplacesIt) {
  Open();
  struct stat state;
  ASSERT_EQ(stat(directory_.path("log/key.pem").c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u);
  std::filesystem::remove(directory_.path("log/key.pem"));
  EXPECT_THAT(TryOpen().error().message, HasSubstr("key.pem cannot be read"));
}

TEST_F(TransparencyLogTest, IsAsBeforeWhenTheDiskIsFull) {
  auto log = Open();
  AppendMany(*log, 0, 5);
  const rlim_t full = directory_.Read("log/entries").size() + 10;
  struct rlimit old_limit;
  getrlimit(RLIMIT_FSIZE, &old_limit);
  signal(SIGXFSZ, SIG_IGN);
  const struct rlimit limit = {full, old_limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  Expected<uint64_t> index = log->Append(Entry(5));
  setrlimit(RLIMIT_FSIZE, &old_limit);
  ASSERT_FALSE(index.ok());
  EXPECT_THAT(index.error().message, HasSubstr("make room on that disk"));
  EXPECT_EQ(log->ReadHead().size, 5u);
  AppendMany(*log, 5, 6);
  EXPECT_EQ(Open()->ReadHead().size, 6u);
}

// A process appends as fast as it can and says so after each; it is killed at some moment.
TEST_F(TransparencyLogTest, KeepsWhatItAcknowledgedWhenItIsKilled) {
  uint64_t acknowledged = 0;
  for (int round = 0; round < 20; ++round) {
    int said[2];
    ASSERT_EQ(pipe(said), 0);
    const pid_t writer = fork();
    if (writer == 0) {
      auto log = std::move(*TryOpen());
      for (uint64_t i = log->ReadHead().size;; ++i) {
        if (!log->Append(Entry(i)).ok() || write(said[1], &i, sizeof i) != sizeof i) _exit(1);
      }
    }
    close(said[1]);
    uint64_t index = 0;
    for (int i = 0; i < 1 + round && read(said[0], &index, sizeof index) == sizeof index; ++i) {
      acknowledged = index + 1;
    }
    usleep(static_cast<useconds_t>(round * 150));
    kill(writer, SIGKILL);
    while (read(said[0], &index, sizeof index) == sizeof index) acknowledged = index + 1;
    close(said[0]);
    waitpid(writer, nullptr, 0);
    const auto log = Open();
    ASSERT_TRUE(log);
    ASSERT_GE(log->ReadHead().size, acknowledged) << "round " << round;
    for (uint64_t i = 0; i < log->ReadHead().size; ++i) ASSERT_EQ(*log->ReadEntry(i), Entry(i));
  }
  EXPECT_GT(acknowledged, 20u);
}

TEST(TreeHead, IsReadAsWritten) {
  TreeHead head;
  head.size = 0xFFFFFFFFFFFFFFFF;
  head.time_s = 1;
  head.root[0] = 0xAB;
  head.signature[63] = 0xCD;
  const auto decoded = DecodeTreeHead(EncodeTreeHead(head));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(ComputeSigningDigest(*decoded), ComputeSigningDigest(head));
  EXPECT_EQ(decoded->signature, head.signature);
  for (const char* text : {"", "[]", "{}", "{\"size\": -1}", "{\"size\": \"1\", \"time\": 1}", "{",
                           "{\"size\":1,\"time\":1,\"root\":\"ab\",\"signature\":\"\"}"}) {
    EXPECT_FALSE(DecodeTreeHead(text).ok()) << text;
  }
}

}  // namespace
}  // namespace ota::server
