// SPDX-License-Identifier: Apache-2.0
#include "agent/update/fetcher.h"

#include <gtest/gtest.h>

#include <vector>

#include "agent/update/test_model_store.h"
#include "agent/update/test_port.h"

namespace ota::agent {
namespace {

constexpr int kStepCountMax = 2'000'000;

std::string DigestTag(const std::string& artifact) {
  std::string tag = "\"";
  for (const uint8_t byte : crypto::ComputeSha256(AsBytes(artifact))) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    tag += kDigits[byte >> 4];
    tag += kDigits[byte & 15];
  }
  return tag + '"';
}

std::string MakeArtifact(size_t size_bytes, uint32_t seed) {
  Prng prng(seed);
  std::string artifact(size_bytes, '\0');
  for (char& c : artifact) c = static_cast<char>(prng.Next());
  return artifact;
}

/// A source whose link dies after a number of bytes that differs from attempt to attempt.
class TestSource final : public PayloadSource {
 public:
  explicit TestSource(std::string artifact) : artifact_(std::move(artifact)) {}

  /// What goes wrong at attempt i: bytes that come before `why`.
  struct Fault {
    uint32_t after_bytes;
    Status why;
  };
  std::vector<Fault> faults;
  std::string etag = "*";  ///< "*": the digest
  bool has_ranges = true;
  uint32_t piece_bytes = 64;
  uint32_t retry_after = 0;
  uint16_t refusal = 0;
  uint32_t ms_per_piece = 1;
  uint32_t extra_bytes = 0;  ///< sent beyond what was announced
  TestClock* clock = nullptr;

  size_t attempt_count = 0;
  std::vector<uint32_t> offsets;

  void SetArtifact(std::string artifact) { artifact_ = std::move(artifact); }

  void Start(const Request& request) override {
    ++attempt_count;
    offsets.push_back(request.offset);
    EXPECT_TRUE(request.offset == 0 || !request.validator.empty());
    const bool is_same = request.validator == DigestTag(artifact_);
    first_ = has_ranges && is_same ? request.offset : 0;
    at_ = first_;
    came_ = 0;
    has_started_ = false;
  }
  Result<Event> Step() override {
    is_busy_ = !is_busy_;
    if (clock != nullptr) clock->time_ms += ms_per_piece;
    if (is_busy_) return Status::kBusy;
    if (attempt_count <= faults.size() && came_ >= faults[attempt_count - 1].after_bytes) {
      return faults[attempt_count - 1].why;
    }
    if (!has_started_) {
      has_started_ = true;
      return Event{EventKind::kStart, {}};
    }
    if (at_ >= artifact_.size() + extra_bytes) return Event{EventKind::kEnd, {}};
    if (at_ >= artifact_.size()) {
      at_ += extra_bytes;
      return Event{EventKind::kData, AsBytes(artifact_).first(extra_bytes)};
    }
    size_t count = std::min<size_t>(piece_bytes, artifact_.size() - at_);
    if (attempt_count <= faults.size()) {
      count = std::min<size_t>(count, faults[attempt_count - 1].after_bytes - came_);
    }
    const ByteSpan piece = AsBytes(artifact_).subspan(at_, count);
    at_ += static_cast<uint32_t>(count);
    came_ += static_cast<uint32_t>(count);
    return Event{EventKind::kData, piece};
  }
  uint64_t total_bytes() const override { return artifact_.size(); }
  uint32_t first_offset() const override { return first_; }
  std::string_view validator() const override {
    tag_ = etag == "*" ? DigestTag(artifact_) : etag;
    return tag_;
  }
  uint32_t retry_after_s() const override { return retry_after; }
  uint16_t http_status() const override { return refusal; }
  void Close() override {}

 private:
  std::string artifact_;
  mutable std::string tag_;
  uint32_t first_ = 0;
  uint32_t at_ = 0;
  uint32_t came_ = 0;
  bool has_started_ = false;
  bool is_busy_ = false;
};

class FetcherTest : public testing::Test, public FetchObserver {
 protected:
  FetcherTest() { source_.clock = &clock_; }

  void OnStart(uint32_t first_offset, uint32_t) override { starts_.push_back(first_offset); }
  void OnProgress(uint32_t staged_bytes, uint32_t total_bytes) override {
    EXPECT_LE(staged_bytes, total_bytes);
  }
  void OnRetry(Status why, uint32_t, uint32_t wait_ms) override {
    retries_.push_back(why);
    waits_ms_.push_back(wait_ms);
  }
  void OnStartOver() override { ++start_over_count_; }

  Status Fetch(const std::optional<ExpectedImage>& expected = std::nullopt) {
    Fetcher fetcher(port_, source_, store_, limits_, this);
    fetcher.Start({.name = "kws", .path = "/models/kws.tflite", .expected = expected});
    return Drive(fetcher);
  }
  Status Drive(Fetcher& fetcher) {
    for (int step = 0; step < kStepCountMax; ++step) {
      const Status status = fetcher.Step();
      if (status != Status::kBusy) {
        EXPECT_EQ(fetcher.Step(), status) << "an ended fetch keeps its outcome";
        return status;
      }
      clock_.time_ms += fetcher.state() == Fetcher::State::kWaiting ? 50 : 0;
    }
    return Status::kOutOfRange;
  }
  ExpectedImage Expect(const std::string& artifact) const {
    return {.size_bytes = static_cast<uint32_t>(artifact.size()),
            .digest = crypto::ComputeSha256(AsBytes(artifact)),
            .sequence_number = 7};
  }

  const std::string artifact_ = MakeArtifact(3000, 1);
  TestClock clock_;
  TestCalendar calendar_;
  TestEntropy entropy_;
  NoNetwork network_;
  Port port_{clock_, calendar_, entropy_, network_};
  TestSource source_{artifact_};
  TestModelStore store_;
  FetchLimits limits_;
  std::vector<uint32_t> starts_;
  std::vector<Status> retries_;
  std::vector<uint32_t> waits_ms_;
  int start_over_count_ = 0;
};

TEST_F(FetcherTest, StagesAnArtifact) {
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_TRUE(store_.is_staged);
  EXPECT_EQ(store_.bytes, artifact_);
  EXPECT_EQ(source_.attempt_count, 1u);
}

TEST_F(FetcherTest, WritesNothingWhenTheImageIsThere) {
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_EQ(Fetch(), Status::kAlreadyExists);
  EXPECT_EQ(store_.begin_count, 1);
  EXPECT_EQ(store_.bytes, artifact_);
}

TEST_F(FetcherTest, ResumesWhereverTheLinkDies) {
  for (uint32_t cut = 0; cut <= artifact_.size(); ++cut) {
    TestSource source(artifact_);
    source.clock = &clock_;
    source.faults = {{cut, Status::kConnectionLost}};
    TestModelStore store;
    Fetcher fetcher(port_, source, store, limits_, nullptr);
    fetcher.Start({.name = "kws", .path = "/", .expected = std::nullopt});
    ASSERT_EQ(Drive(fetcher), Status::kOk) << cut;
    ASSERT_EQ(store.bytes, artifact_) << cut;
    ASSERT_EQ(source.offsets, (std::vector<uint32_t>{0, cut})) << "not a byte came twice";
    ASSERT_EQ(fetcher.received_bytes(), artifact_.size());
    ASSERT_EQ(store.begin_count, 1);
  }
}

TEST_F(FetcherTest, ResumesAfterAPowerCut) {
  for (uint32_t cut = 1; cut < artifact_.size(); cut += 97) {
    const uint32_t durable_bytes = cut / 512 * 512;
    TestSource source(artifact_);
    source.clock = &clock_;
    TestModelStore store;
    {
      Fetcher fetcher(port_, source, store, limits_, nullptr);
      fetcher.Start({.name = "kws", .path = "/", .expected = std::nullopt});
      while (store.bytes.size() < cut) ASSERT_EQ(fetcher.Step(), Status::kBusy);
    }
    store.Reboot(durable_bytes);
    Fetcher fetcher(port_, source, store, limits_, nullptr);
    fetcher.Start({.name = "kws", .path = "/", .expected = std::nullopt});
    ASSERT_EQ(Drive(fetcher), Status::kOk) << cut;
    ASSERT_EQ(store.bytes, artifact_);
    ASSERT_EQ(source.offsets.back(), durable_bytes);
  }
}

TEST_F(FetcherTest, FinishesWithoutTheServerWhatWasWholeBeforeThePowerCut) {
  {
    Fetcher fetcher(port_, source_, store_, limits_, nullptr);
    fetcher.Start({.name = "kws", .path = "/", .expected = std::nullopt});
    while (store_.bytes.size() < artifact_.size()) ASSERT_EQ(fetcher.Step(), Status::kBusy);
  }
  store_.Reboot(3000);
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_EQ(source_.attempt_count, 1u);
  EXPECT_TRUE(store_.is_staged);
}

TEST_F(FetcherTest, StartsOverWhenTheArtifactHasChanged) {
  source_.faults = {{1500, Status::kConnectionLost}};
  Fetcher fetcher(port_, source_, store_, limits_, this);
  fetcher.Start({.name = "kws", .path = "/", .expected = std::nullopt});
  while (retries_.empty()) ASSERT_EQ(fetcher.Step(), Status::kBusy);
  const std::string other = MakeArtifact(3500, 2);
  source_.SetArtifact(other);
  EXPECT_EQ(Drive(fetcher), Status::kOk);
  EXPECT_EQ(store_.bytes, other);
  EXPECT_EQ(start_over_count_, 1);
  EXPECT_EQ(starts_, (std::vector<uint32_t>{0, 0}));
}

TEST_F(FetcherTest, GivesUpOnAnArtifactThatKeepsChanging) {
  limits_.progress_bytes_min = 1;
  source_.faults.assign(20, {100, Status::kConnectionLost});
  Fetcher fetcher(port_, source_, store_, limits_, this);
  fetcher.Start({.name = "kws", .path = "/", .expected = std::nullopt});
  Status status = Status::kBusy;
  for (uint32_t seed = 2; status == Status::kBusy; ++seed) {
    const size_t retry_count = retries_.size();
    while (status == Status::kBusy && retries_.size() == retry_count) {
      status = fetcher.Step();
      clock_.time_ms += 50;
    }
    source_.SetArtifact(MakeArtifact(3000, seed));
  }
  EXPECT_EQ(status, Status::kArtifactChanged);
}

TEST_F(FetcherTest, TakesTheWholeFromAServerWithoutRanges) {
  source_.has_ranges = false;
  source_.faults = {{1500, Status::kConnectionLost}};
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_EQ(store_.bytes, artifact_);
}

TEST_F(FetcherTest, BacksOffLongerEachTimeAndThenGivesUp) {
  source_.faults.assign(100, {0, Status::kConnectionRefused});
  EXPECT_EQ(Fetch(), Status::kConnectionRefused);
  ASSERT_EQ(waits_ms_.size(), limits_.attempt_count_max - 1);
  uint32_t whole_ms = limits_.backoff_first_ms;
  for (const uint32_t wait_ms : waits_ms_) {
    EXPECT_GE(wait_ms, whole_ms - whole_ms / 2);
    EXPECT_LE(wait_ms, whole_ms);
    whole_ms *= 2;
  }
  EXPECT_EQ(source_.attempt_count, limits_.attempt_count_max);
  EXPECT_EQ(store_.begin_count, 0);
}

TEST_F(FetcherTest, KeepsGoingAsLongAsThereIsProgress) {
  limits_.progress_bytes_min = 100;
  source_.faults.assign(29, {100, Status::kConnectionLost});
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_EQ(store_.bytes, artifact_);
  for (const uint32_t wait_ms : waits_ms_) EXPECT_LE(wait_ms, limits_.backoff_first_ms);
}

TEST_F(FetcherTest, DoesWhatTheServerAsksByRetryAfter) {
  source_.faults = {{0, Status::kHttpStatusUnexpected}};
  source_.refusal = 503;
  source_.retry_after = 30;
  EXPECT_EQ(Fetch(), Status::kOk);
  ASSERT_EQ(waits_ms_.size(), 1u);
  EXPECT_GE(waits_ms_[0], 30'000u);
  EXPECT_LE(waits_ms_[0], 37'500u);
}

TEST_F(FetcherTest, MakesNoSecondAttemptAtWhatCannotBeCured) {
  for (const Status why :
       {Status::kNotFound, Status::kCertificateUntrusted, Status::kHostNameMismatch,
        Status::kCertificateExpired, Status::kHttpMalformed, Status::kPayloadTooLarge,
        Status::kHttpStatusUnexpected, Status::kHttpLengthUnknown}) {
    source_.attempt_count = 0;
    source_.refusal = 403;
    source_.faults = {{0, why}};
    EXPECT_EQ(Fetch(), why);
    EXPECT_EQ(source_.attempt_count, 1u);
  }
}

TEST_F(FetcherTest, LosesPatienceWithAPeerThatDripsBytes) {
  source_.piece_bytes = 1;
  source_.ms_per_piece = 1000;  // a byte each two seconds
  EXPECT_EQ(Fetch(), Status::kTimedOut);
  for (const Status why : retries_) EXPECT_EQ(why, Status::kTimedOut);
}

TEST_F(FetcherTest, HasPatienceWithASlowButSteadyLink) {
  source_.ms_per_piece = 200;  // 64 bytes each 400 ms: 1 KiB in 6.4 s
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_EQ(source_.attempt_count, 1u);
}

TEST_F(FetcherTest, StagesOnlyWhatTheManifestDemands) {
  EXPECT_EQ(Fetch(Expect(artifact_)), Status::kOk);
  EXPECT_EQ(store_.staging.sequence_number, 7u);

  ExpectedImage longer = Expect(artifact_);
  ++longer.size_bytes;
  EXPECT_EQ(Fetch(longer), Status::kImageSizeMismatch);

  const int begin_count = store_.begin_count;
  EXPECT_EQ(Fetch(Expect(MakeArtifact(3000, 9))), Status::kDigestMismatch);
  EXPECT_EQ(store_.begin_count, begin_count + 1);
  EXPECT_FALSE(store_.is_staged);
}

TEST_F(FetcherTest, DoesNotResumeWhatIsNotWanted) {
  store_.capacity_bytes = 5000;
  source_.faults.assign(10, {1500, Status::kNotFound});
  EXPECT_EQ(Fetch(), Status::kNotFound);
  EXPECT_EQ(store_.bytes.size(), 1500u);
  source_.faults.clear();
  const std::string other = MakeArtifact(2000, 5);
  source_.SetArtifact(other);
  EXPECT_EQ(Fetch(Expect(other)), Status::kOk);
  EXPECT_EQ(source_.offsets.back(), 0u);
  EXPECT_EQ(store_.bytes, other);
}

TEST_F(FetcherTest, SaysWhatTheStoreSays) {
  store_.capacity_bytes = 2999;
  Fetcher fetcher(port_, source_, store_, limits_, nullptr);
  fetcher.Start({.name = "kws", .path = "/", .expected = std::nullopt});
  EXPECT_EQ(Drive(fetcher), Status::kStorageFull);
  EXPECT_EQ(fetcher.total_bytes(), 3000u) << "for the message";

  store_.capacity_bytes = 5000;
  store_.failing_append_offset = 1000;
  EXPECT_EQ(Fetch(), Status::kMediumFailed);

  store_.failing_append_offset = UINT32_MAX;
  store_.is_corrupting = true;
  EXPECT_EQ(Fetch(), Status::kDigestMismatch);

  fetcher.Start({.name = "../kws", .path = "/", .expected = std::nullopt});
  EXPECT_EQ(Drive(fetcher), Status::kNameInvalid);
}

TEST_F(FetcherTest, CutsEndlessDataAtTheAnnouncedSize) {
  source_.extra_bytes = 1;
  EXPECT_EQ(Fetch(), Status::kPayloadTooLarge);
  EXPECT_FALSE(store_.is_staged);
}

TEST_F(FetcherTest, NeedsADigestFromSomewhere) {
  for (const char* const tag : {"", "\"abc\"", "abc"}) {
    source_.etag = tag;
    EXPECT_EQ(Fetch(), Status::kDigestUnknown) << tag;
  }
  EXPECT_EQ(store_.begin_count, 0);
  EXPECT_EQ(Fetch(Expect(artifact_)), Status::kOk);
}

TEST_F(FetcherTest, DoesNothingBeforeItIsStarted) {
  Fetcher fetcher(port_, source_, store_, limits_, nullptr);
  EXPECT_EQ(fetcher.Step(), Status::kWrongState);
}

}  // namespace
}  // namespace ota::agent
