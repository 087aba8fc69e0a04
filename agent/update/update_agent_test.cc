// SPDX-License-Identifier: Apache-2.0
// The whole of the device's side against a server in memory: polls, roots, offers, attempts.
#include "agent/update/update_agent.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/update/test_device.h"
#include "agent/update/test_port.h"
#include "crypto/host/hex.h"
#include "crypto/host/pem_key.h"
#include "simulator/attack/memory_server.h"
#include "simulator/board/virtual_board.h"
#include "storage/model_store/test_store.h"

namespace ota::agent {
namespace {

using crypto::PemKey;
using crypto::SigningKey;
using formats::Bytes;
using formats::ComponentKind;
using simulator::RunToEnd;

constexpr int kStepCountMax = 5'000'000;
constexpr uint64_t kDayS = 24 * 3600;

std::unique_ptr<PemKey> NewKey() { return std::move(*PemKey::Generate()); }

/// Goes on whenever it is looked at, so that pauses end.
class RunningClock final : public Clock {
 public:
  uint64_t now_ms() const override { return time_ms_ += 20; }

 private:
  mutable uint64_t time_ms_ = 1000;
};

class UpdateAgentTest : public testing::Test, public UpdateObserver {
 protected:
  UpdateAgentTest() {
    root_spec_.root = {1, {root_key_->public_key()}};
    root_spec_.freshness_key = freshness_key_->public_key();
    formats::ReleaseRoleSpec role;
    role.key_set = {1, {release_key_->public_key()}};
    role.kinds = {ComponentKind::kModel};
    role.patterns = {"digits", "more-*"};
    root_spec_.release_roles = {role};
    server_.freshness_key = freshness_key_.get();
    AddRoot();
    std::ifstream file(OTA_SOURCE_DIR "/models/digits/digits.tflite", std::ios::binary);
    source_.payload.assign(std::istreambuf_iterator<char>(file), {});
    Boot();
    EXPECT_EQ(formats::InitializeTrustState(*formats::EncodeRoot(root_spec_), trust_), Status::kOk);
    TrustRecord record(board_->store());
    EXPECT_EQ(RunToEnd([&] { return record.Save(trust_); }), Status::kOk);
  }
  ~UpdateAgentTest() override { std::filesystem::remove_all(directory_); }

  /// As after a reset: what is believed comes from the store.
  void Boot() {
    agent_.reset();
    fetcher_.reset();
    board_.reset();
    board_ = std::make_unique<simulator::VirtualBoard>(*simulator::FindBoard("B1"), directory_);
    ASSERT_EQ(board_->Boot(), Status::kOk);
    TrustRecord record(board_->store());
    const Status loaded = RunToEnd([&] { return record.Load(trust_); });
    ASSERT_TRUE(IsOk(loaded) || loaded == Status::kNotFound);
    fetcher_ = std::make_unique<Fetcher>(port_, source_, board_->store(), FetchLimits{}, nullptr);
    agent_ = std::make_unique<UpdateAgent>(
        port_, server_, *fetcher_, board_->store(), trust_, UpdateEngine{engine::AllOperators()},
        UpdateBuffers{answer_, envelope_, board_->arena()}, StepBudget{}, this, nullptr,
        &rotation_.emplace(board_->store(), answer_));
  }

  void AddRoot() {
    root_spec_.version = static_cast<uint32_t>(server_.roots.size()) + 1;
    SigningKey* const signers[] = {root_key_.get()};
    server_.roots.push_back(*formats::SignRoot(*formats::EncodeRoot(root_spec_), signers));
    server_.root_version = root_spec_.version;
  }

  Bytes Envelope(uint64_t sequence, const std::string& name = "digits") {
    formats::Manifest manifest;
    manifest.sequence_number = sequence;
    manifest.vendor_id = device_.vendor_id;
    manifest.class_ids[0] = device_.class_id;
    manifest.class_id_count = 1;
    manifest.kind = ComponentKind::kModel;
    manifest.component_name = name;
    const crypto::Sha256Digest digest = crypto::ComputeSha256(source_.payload);
    manifest.image_digest = digest;
    manifest.image_size_bytes = static_cast<uint32_t>(source_.payload.size());
    manifest.payload_size_bytes = manifest.image_size_bytes;
    manifest.uri = formats::kUriByDigest;
    SigningKey* const signers[] = {release_key_.get()};
    return *formats::SignManifest(formats::EncodeManifest(manifest), signers);
  }
  void Offer(uint64_t sequence, const std::string& name = "digits") {
    std::erase_if(server_.releases, [&](const auto& r) { return r.component.name == name; });
    server_.releases.push_back({{ComponentKind::kModel, name, sequence}, Envelope(sequence, name)});
  }

  /// One round; its end, or kMediumFailed once the power is off.
  Status Round(bool wants_proof = false) {
    ended_.clear();
    const std::string_view names[] = {"digits"};
    agent_->Start(device_.Profile(), {.model_names = names, .wants_proof = wants_proof});
    for (int step = 0; step < kStepCountMax; ++step) {
      const Status status = agent_->Step();
      if (status != Status::kBusy) return status;
      if (!board_->power().is_on()) return Status::kMediumFailed;
    }
    return Status::kOutOfRange;
  }

  uint64_t InstalledSequence() const {
    return formats::FindTracked(trust_, ComponentKind::kModel, "digits").installed_sequence;
  }
  uint32_t RootVersion() const {
    return formats::DecodeRootMetadata(trust_.root_metadata())->version;
  }

  void OnPolled(uint64_t now_s, uint32_t) override { polled_s_ = now_s; }
  void OnOffer(const formats::ComponentSequence&) override {}
  void OnReleaseEnd(const formats::ComponentSequence& release, Status status) override {
    ended_.emplace_back(std::string(release.name), status);
  }

  const std::string directory_ = (std::filesystem::temp_directory_path() /
                                  ("update_agent_test_" + std::to_string(getpid()) + '_' +
                                   testing::UnitTest::GetInstance()->current_test_info()->name()))
                                     .string();
  std::unique_ptr<PemKey> root_key_ = NewKey();
  std::unique_ptr<PemKey> release_key_ = NewKey();
  std::unique_ptr<PemKey> freshness_key_ = NewKey();
  formats::RootSpec root_spec_;
  const TestDevice device_;

  RunningClock clock_;
  TestCalendar calendar_;
  TestEntropy entropy_;
  NoNetwork network_;
  Port port_{clock_, calendar_, entropy_, network_};
  simulator::MemoryServer server_;
  simulator::MemoryPayloadSource source_;
  formats::TrustState trust_;
  std::array<uint8_t, Poller::kAnswerBytes> answer_ = {};
  std::array<uint8_t, Poller::kMessageBytes> envelope_ = {};
  std::unique_ptr<simulator::VirtualBoard> board_;
  std::unique_ptr<Fetcher> fetcher_;
  std::optional<storage::ModelRotation> rotation_;
  std::unique_ptr<UpdateAgent> agent_;
  uint64_t polled_s_ = 0;
  std::vector<std::pair<std::string, Status>> ended_;
};

TEST_F(UpdateAgentTest, TakesWhatIsOfferedAndThenNothingMore) {
  Offer(7);
  ASSERT_EQ(Round(), Status::kOk);
  EXPECT_EQ(polled_s_, server_.time_s);
  EXPECT_EQ(InstalledSequence(), 7u);
  EXPECT_EQ(source_.last_path,
            "/payloads/" + crypto::HexText(crypto::ComputeSha256(source_.payload)));
  server_.releases.clear();
  Boot();
  EXPECT_EQ(Round(), Status::kOk);
  EXPECT_TRUE(ended_.empty());
  EXPECT_EQ(InstalledSequence(), 7u);
}

TEST_F(UpdateAgentTest, TriesTheOtherOffersWhenOneIsRefused) {
  Offer(7);
  Offer(3, "more-a");
  server_.releases[0].envelope = Envelope(7, "not-delegated");
  EXPECT_EQ(Round(), Status::kSignerNotDelegated);
  ASSERT_EQ(ended_.size(), 2u);
  EXPECT_EQ(ended_[1], std::pair(std::string("more-a"), Status::kOk));
}

/// A board on which, after an update, there is room for the model "stays", but hardly for more.
class UpdateAgentMoveTest : public UpdateAgentTest {
 protected:
  void Fill() {
    storage::ModelStore& store = board_->store();
    const storage::StoreSpace space = store.space();
    const uint32_t stays_bytes = space.total_bytes / 7;  // moved only while an eighth is free
    const auto payload_bytes = static_cast<uint32_t>(source_.payload.size());
    const uint32_t large_bytes = space.largest_free_bytes - 2 * store.NeededBytes(stays_bytes) -
                                 2 * store.NeededBytes(payload_bytes);
    stays_ = storage::MakeModel(stays_bytes, 1);
    large_ = storage::MakeModel(large_bytes, 2);
    ASSERT_EQ(storage::InstallModel(store, "stays", stays_), Status::kOk);
    ASSERT_EQ(storage::InstallModel(store, "large", large_), Status::kOk);
  }
  uint32_t ReadPlace() {
    return board_->store().FindImage("stays", storage::ImageChoice::kConfirmed)->place;
  }
  void ExpectAllThere() {
    EXPECT_TRUE(*storage::ReadModel(board_->store(), "stays") == stays_);
    EXPECT_TRUE(*storage::ReadModel(board_->store(), "large") == large_);
  }

  std::vector<uint8_t> stays_;
  std::vector<uint8_t> large_;
};

TEST_F(UpdateAgentMoveTest, MovesModelsThatStayOutOfTheWayAfterAnUpdateAndOnlyThen) {
  Fill();
  const uint32_t first_place = ReadPlace();
  ASSERT_EQ(Round(), Status::kOk);
  EXPECT_EQ(ReadPlace(), first_place) << "nothing was updated";
  Offer(7);
  ASSERT_EQ(Round(), Status::kOk);
  EXPECT_GT(ReadPlace(), first_place);
  ExpectAllThere();
  EXPECT_EQ(InstalledSequence(), 7u);
}

TEST_F(UpdateAgentMoveTest, KeepsModelsWhenPowerFailsWhileTheyAreMoved) {
  constexpr uint64_t kCutCount = 8;
  const formats::TrustState initial = trust_;
  Fill();
  Offer(7);
  const uint64_t begin = board_->power().point_count();
  ASSERT_EQ(Round(), Status::kOk);
  const uint64_t point_count = board_->power().point_count() - begin;
  for (uint64_t cut = 0; cut < kCutCount; ++cut) {
    const uint64_t point = point_count * (2 * cut + 1) / (2 * kCutCount);
    std::filesystem::remove_all(directory_);
    Boot();
    trust_ = initial;
    TrustRecord record(board_->store());
    ASSERT_EQ(RunToEnd([&] { return record.Save(trust_); }), Status::kOk);
    Fill();
    board_->power().CutAt(board_->power().point_count() + point, static_cast<uint32_t>(point) | 1);
    ASSERT_EQ(Round(), Status::kMediumFailed) << "cut at point " << point;
    Boot();
    ExpectAllThere();
    ASSERT_EQ(Round(), Status::kOk) << "cut at point " << point;
    ExpectAllThere();
    EXPECT_EQ(InstalledSequence(), 7u) << "cut at point " << point;
  }
}

TEST_F(UpdateAgentTest, CatchesUpWithEveryRootThatItSleptThrough) {
  for (int i = 0; i < 6; ++i) AddRoot();
  const auto new_key = NewKey();
  root_spec_.release_roles[0].key_set.keys = {new_key->public_key()};
  AddRoot();
  const auto old_key =
      std::exchange(release_key_, std::move(*PemKey::FromPem(*new_key->ToPem(""), "")));
  Offer(7);
  ASSERT_EQ(Round(), Status::kOk);
  EXPECT_EQ(RootVersion(), 8u);
  EXPECT_EQ(InstalledSequence(), 7u);
  Boot();
  EXPECT_EQ(RootVersion(), 8u) << "what was followed is stored";
  const auto asked = std::count_if(server_.paths.begin(), server_.paths.end(),
                                   [](const auto& p) { return p.starts_with("/roots/"); });
  EXPECT_EQ(asked, 7);
}

TEST_F(UpdateAgentTest, NoticesThatNewerRootsAreHidden) {
  server_.root_version = 2;
  Offer(7);
  EXPECT_EQ(Round(), Status::kRootOutdated);
  EXPECT_EQ(InstalledSequence(), 0u);
}

TEST_F(UpdateAgentTest, NoticesAFrozenOrReplayedAnswer) {
  Bytes first;
  server_.tamper = [&](const std::string& path, Bytes& answer) {
    if (path == "/poll" && first.empty()) first = answer;
  };
  ASSERT_EQ(Round(), Status::kOk);
  server_.tamper = [&](const std::string& path, Bytes& answer) {
    if (path == "/poll") answer = first;
  };
  EXPECT_EQ(Round(), Status::kNonceMismatch);
  server_.tamper = nullptr;
  server_.time_s -= 1;
  EXPECT_EQ(Round(), Status::kFreshnessStale);
  server_.time_s += 2;
  EXPECT_EQ(Round(), Status::kOk);
}

TEST_F(UpdateAgentTest, RefusesAnyBitFlippedInAPollAnswer) {
  Offer(7);
  size_t bit = 0, bit_count = SIZE_MAX;
  server_.tamper = [&](const std::string& path, Bytes& answer) {
    if (path != "/poll") return;
    bit_count = answer.size() * 8;
    answer[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  };
  for (; bit < bit_count; bit += 5) {
    ASSERT_NE(Round(), Status::kOk) << "bit " << bit;
    ASSERT_EQ(InstalledSequence(), 0u);
  }
}

TEST_F(UpdateAgentTest, AsksForProofOfTheLogWhenWished) {
  Offer(7);
  const Bytes envelope = server_.releases[0].envelope;
  server_.logged = {Envelope(5), Envelope(6)};
  EXPECT_EQ(Round(true), Status::kNotLogged);
  EXPECT_EQ(InstalledSequence(), 0u);
  server_.logged.push_back(envelope);
  EXPECT_EQ(Round(true), Status::kOk);
  EXPECT_EQ(InstalledSequence(), 7u);
}

TEST_F(UpdateAgentTest, TakesAnotherEnvelopeThanTheOfferedOneForNothing) {
  Offer(7);
  server_.tamper = [&](const std::string& path, Bytes& answer) {
    if (path.starts_with("/envelopes/")) answer = Envelope(8);
  };
  EXPECT_EQ(Round(), Status::kDigestMismatch);
  server_.tamper = nullptr;
  EXPECT_EQ(Round(), Status::kOk);
}

TEST_F(UpdateAgentTest, BoundsAttemptsOfADayAlsoOverResets) {
  Offer(7);
  const Bytes good = source_.payload;
  source_.payload[100] ^= 1;
  for (int attempt = 0; attempt < AttemptRecord::kAttemptsMax; ++attempt) {
    ASSERT_EQ(Round(), Status::kDigestMismatch) << attempt;
    if (attempt % 2 == 0) Boot();
  }
  const int request_count = source_.request_count;
  source_.payload = good;
  EXPECT_EQ(Round(), Status::kAttemptsExhausted);
  Boot();
  EXPECT_EQ(Round(), Status::kAttemptsExhausted);
  EXPECT_EQ(source_.request_count, request_count);
  server_.time_s += kDayS;
  EXPECT_EQ(Round(), Status::kOk) << "and takes it a day later";
}

TEST_F(UpdateAgentTest, CountsNoAttemptWhenItResumes) {
  Offer(7);
  for (int cut = 0; cut < 2 * AttemptRecord::kAttemptsMax; ++cut) {
    source_.stall_at = size_t{1000} * static_cast<size_t>(cut + 1);
    ASSERT_EQ(Round(), Status::kTimedOut) << cut;
    Boot();
  }
  source_.stall_at = SIZE_MAX;
  EXPECT_EQ(Round(), Status::kOk);
}

TEST_F(UpdateAgentTest, StoresTheTimeNotOftenerThanHourly) {
  ASSERT_EQ(Round(), Status::kOk);
  const uint64_t programmed = board_->power().point_count();
  for (int i = 0; i < 50; ++i) {
    server_.time_s += 60;
    ASSERT_EQ(Round(), Status::kOk);
  }
  EXPECT_EQ(board_->power().point_count(), programmed);
  server_.time_s += 3600;
  ASSERT_EQ(Round(), Status::kOk);
  EXPECT_GT(board_->power().point_count(), programmed);
  Boot();
  EXPECT_EQ(trust_.trusted_time_s, server_.time_s);
}

TEST_F(UpdateAgentTest, KeepsWhatIsHalfStagedWhenItPollsAgain) {
  Offer(7);
  source_.stall_at = 5000;
  ASSERT_EQ(Round(), Status::kTimedOut);
  Boot();
  server_.time_s += 2 * 3600;
  source_.stall_at = SIZE_MAX;
  ASSERT_EQ(Round(), Status::kOk);
  EXPECT_LT(fetcher_->received_bytes(), source_.payload.size()) << "it resumed";
  EXPECT_EQ(InstalledSequence(), 7u);
}

TEST_F(UpdateAgentTest, BelievesAfterAPowerCutWhatItBelievedBeforeOrAfter) {
  for (int i = 0; i < 2; ++i) AddRoot();
  Offer(7);
  for (uint64_t point = 0; point < 40'000; point += 1499) {
    std::filesystem::remove_all(directory_);
    trust_ = {};
    ASSERT_EQ(formats::InitializeTrustState(formats::DecodeSignedRoot(server_.roots[0])->metadata,
                                            trust_),
              Status::kOk);
    const formats::TrustState initial = trust_;
    Boot();
    trust_ = initial;
    TrustRecord record(board_->store());
    ASSERT_EQ(RunToEnd([&] { return record.Save(trust_); }), Status::kOk);
    board_->power().CutAt(board_->power().point_count() + point, static_cast<uint32_t>(point) | 1);
    (void)Round();  // ends wherever the power does
    Boot();
    ASSERT_GE(RootVersion(), 1u) << "cut at point " << point;
    ASSERT_EQ(Round(), Status::kOk) << "cut at point " << point;
    ASSERT_EQ(RootVersion(), 3u);
    ASSERT_EQ(InstalledSequence(), 7u);
  }
}

}  // namespace
}  // namespace ota::agent
