// SPDX-License-Identifier: Apache-2.0
#include "server/release/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/release/release_index.h"
#include "server/release/release_store.h"
#include "server/release/test_publisher.h"
#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using formats::Bytes;
using testing::HasSubstr;

class PruneTest : public testing::Test {
 protected:
  PruneTest() { EXPECT_FALSE(roots_->Add(1, publisher_.SignRoot(1)).has_value()); }

  void Publish(const Bytes& envelope, const std::string& payload, const std::string& name = "kws") {
    const auto store = std::move(*ReleaseStore::Open(directory_.path(), *roots_, *log_));
    const auto accepted = std::get<AcceptedEnvelope>(store->Accept(name, envelope));
    const auto staging = std::move(*store->Stage(accepted));
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(payload.data()), payload.size());
    ASSERT_FALSE(staging->Append(bytes).has_value());
    ASSERT_TRUE(std::holds_alternative<uint64_t>(store->Publish(accepted, *staging)));
  }
  void Publish(uint64_t sequence, const std::string& payload, const std::string& name = "kws") {
    Publish(publisher_.Envelope(sequence, payload, name), payload, name);
  }

  Expected<PruneSummary> Run(PruneMode mode = PruneMode::kRemove) {
    removed_.clear();
    return Prune(directory_.path(), mode,
                 [this](const PrunedFile& file) { removed_.push_back(file.path); });
  }

  size_t Count(const char* folder) {
    const std::filesystem::directory_iterator entries(directory_.path(folder));
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }
  bool HasPayload(const std::string& payload) {
    return directory_.Read("payloads/" + HexText(ComputeDigest(payload)) + ".bin") == payload;
  }

  // The envelopes that are offered; each has its payload.
  std::vector<Digest> Offered() {
    const auto envelopes = std::move(*ArtifactStore::Open(directory_.path("envelopes"), ".suit"));
    ReleaseIndex index(*envelopes, *roots_);
    index.Refresh();
    std::vector<Digest> offered;
    for (const OfferedRelease& release : *index.releases()) {
      offered.push_back(release.envelope_digest);
      const std::string payload = "payloads/" + HexText(release.payload_digest) + ".bin";
      EXPECT_TRUE(std::filesystem::exists(directory_.path(payload)));
    }
    return offered;
  }

  TemporaryDirectory directory_;
  TestPublisher publisher_;
  std::unique_ptr<TransparencyLog> log_ = std::move(*TransparencyLog::Open(directory_.path("log")));
  std::unique_ptr<RootStore> roots_ = std::move(*RootStore::Open(directory_.path("roots")));
  std::vector<std::string> removed_;
};

TEST_F(PruneTest, KeepsTheNewestOfEachDeviceAndTheWholeLog) {
  for (uint64_t i = 1; i <= 3; ++i) Publish(i, "model " + std::to_string(i));
  Publish(4, "other", "vision-1");
  publisher_.class_id = Bytes(16, 0xC2);
  Publish(5, "for others");
  const std::vector<Digest> offered = Offered();
  Expected<PruneSummary> summary = Run();
  ASSERT_TRUE(summary.ok()) << summary.error().message;
  EXPECT_EQ(summary->file_count, 4u);
  EXPECT_EQ(summary->kept_release_count, 3u);
  EXPECT_EQ(Offered(), offered);
  EXPECT_EQ(Count("envelopes"), 3u);
  EXPECT_EQ(Count("payloads"), 3u);
  EXPECT_TRUE(HasPayload("model 3") && HasPayload("other") && HasPayload("for others"));
  log_ = std::move(*TransparencyLog::Open(directory_.path("log")));
  EXPECT_EQ(log_->ReadHead().size, 5u);
  EXPECT_TRUE(log_->ReadEntry(0).ok());
  EXPECT_EQ(Run()->file_count, 0u);
}

TEST_F(PruneTest, KeepsAPayloadThatANewerReleaseNames) {
  Publish(1, "model");
  Publish(2, "model");
  EXPECT_EQ(Run()->file_count, 1u);
  EXPECT_TRUE(HasPayload("model"));
}

TEST_F(PruneTest, RemovesAPayloadWhoseEnvelopeNeverCame) {
  Publish(1, "model");
  std::ofstream(directory_.path("payloads/" + HexText(ComputeDigest("lost")) + ".bin")) << "lost";
  std::ofstream(directory_.path("payloads/notes.bin")) << "not ours";
  Expected<PruneSummary> summary = Run();
  EXPECT_EQ(summary->file_count, 1u);
  EXPECT_EQ(summary->bytes, 4u);
  EXPECT_EQ(directory_.Read("payloads/notes.bin"), "not ours");
}

TEST_F(PruneTest, KeepsARevokedReleaseThatHoldsBackOlderOnes) {
  Publish(1, "old");
  Publish(2, "new");
  const std::vector<Digest> offered = Offered();
  publisher_.root_spec.release_roles[0].key_set = {1, {TestPublisher::NewKey()->public_key()}};
  ASSERT_FALSE(roots_->Add(2, publisher_.SignRoot(2)).has_value());
  EXPECT_EQ(Run()->kept_release_count, 1u);
  EXPECT_EQ(Offered(), offered);
}

TEST_F(PruneTest, ADryRunSaysTheSameAndRemovesNothing) {
  Publish(1, "old");
  Publish(2, "new");
  EXPECT_EQ(Run(PruneMode::kDryRun)->file_count, 2u);
  const std::vector<std::string> announced = removed_;
  EXPECT_EQ(Count("payloads"), 2u);
  EXPECT_EQ(Run()->file_count, 2u);
  EXPECT_EQ(removed_, announced);
}

TEST_F(PruneTest, KilledAfterAnyFileItHasLostNothingThatIsOffered) {
  for (uint64_t i = 1; i <= 4; ++i) Publish(i, "model " + std::to_string(i));
  const std::vector<Digest> offered = Offered();
  struct Killed {};
  for (int killed = 0; killed < 6; ++killed) {
    const auto stop = [](const PrunedFile&) { throw Killed(); };
    EXPECT_THROW((void)Prune(directory_.path(), PruneMode::kRemove, stop), Killed);
    EXPECT_EQ(Offered(), offered);
    EXPECT_TRUE(HasPayload("model 4"));
  }
  EXPECT_EQ(Run()->file_count, 0u);
}

TEST_F(PruneTest, TouchesNothingWhereItCannotTellWhatIsNeeded) {
  Publish(1, "old");
  Publish(2, "new");
  const std::string stray = "envelopes/" + std::string(64, 'a') + ".suit";
  std::ofstream(directory_.path(stray)) << "damaged";
  EXPECT_THAT(Run().error().message, HasSubstr(stray));
  std::filesystem::remove(directory_.path(stray));
  EXPECT_TRUE(removed_.empty());
  std::filesystem::rename(directory_.path("roots"), directory_.path("roots.old"));
  EXPECT_THAT(Run().error().message, HasSubstr("no root metadata"));
  EXPECT_EQ(Count("payloads"), 2u);
  EXPECT_THAT(Prune(directory_.path("nowhere"), PruneMode::kRemove, {}).error().message,
              HasSubstr("holds no releases"));
}

}  // namespace
}  // namespace ota::server
