// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/port/port.h"
#include "agent/transport/payload_source.h"
#include "base/prng.h"
#include "storage/model_store/model_store.h"

namespace ota::agent {

/// What must be so of an artifact before it may be staged.
struct ExpectedImage {
  uint32_t size_bytes = 0;
  crypto::Sha256Digest digest = {};
  uint64_t sequence_number = 0;
};

struct FetchRequest {
  storage::ModelName name;
  std::string_view path;  ///< at the server; must outlive the fetch
  /// From a verified manifest. Without it the artifact is what the server says it is: its entity
  /// tag must then be its SHA-256 in hexadecimal, so that at least what is stored is what was sent.
  std::optional<ExpectedImage> expected;
};

/// Bounds of patience. All of them hold together.
struct FetchLimits {
  /// Attempts in a row that brought fewer than progress_bytes_min bytes.
  uint32_t attempt_count_max = 6;
  /// How often an artifact may change under way.
  uint32_t start_over_count_max = 3;
  /// The wait before the second attempt; it doubles with each, up to backoff_ms_max, and a random
  /// part of up to a half is taken off, so that a fleet does not come back all at once.
  uint32_t backoff_first_ms = 500;
  uint32_t backoff_ms_max = 60'000;
  /// An attempt has failed once the peer was waited for this long, in sum, while it brought fewer
  /// than progress_bytes_min bytes.
  uint32_t progress_timeout_ms = 15'000;
  uint32_t progress_bytes_min = 1024;
};

/// Told what goes on; for progress bars and logs. Every call is made from Fetcher::Step.
class FetchObserver {
 public:
  /// Bytes come, from `first_offset` of `total_bytes` on; not 0 after a resume.
  virtual void OnStart(uint32_t first_offset, uint32_t total_bytes) = 0;
  virtual void OnProgress(uint32_t staged_bytes, uint32_t total_bytes) = 0;
  /// An attempt failed with `why`; the next is made in `wait_ms`.
  virtual void OnRetry(Status why, uint32_t attempt_count, uint32_t wait_ms) = 0;
  /// What was staged is of no use any more, since the artifact is another one now.
  virtual void OnStartOver() = 0;

 protected:
  ~FetchObserver() = default;
};

/// Brings one artifact into the model store: kIdle -> … -> kStaged, where the store has verified
/// its digest. Links may break and power may fail in between; it resumes where the store was left.
///
/// Invariants: at most one image is in staging; what is confirmed is never touched; every wait is
/// by the clock, never inside Step().
class Fetcher {
 public:
  enum class State : uint8_t {
    kIdle,
    kResuming,    ///< looking at what an earlier fetch left in the store
    kRequesting,  ///< asking the source; nothing of the artifact has come yet
    kBeginning,   ///< making room in the store
    kReceiving,
    kFinishing,  ///< the store reads back and compares the digest
    kWaiting,    ///< between two attempts
    kStaged,
    kFailed,
  };

  /// All must outlive the fetcher. `observer` may be null. The store must be mounted.
  Fetcher(const Port& port, PayloadSource& source, storage::ModelStore& store,
          const FetchLimits& limits, FetchObserver* observer);

  /// Gets ready for `request`; one under way is given up, what it staged stays.
  void Start(const FetchRequest& request);

  /// Goes on by a small step.
  /// kBusy: not at its end; call again. kOk: the image is staged. Anything else: it failed for
  /// good; what is staged stays for a later fetch to resume, but for kDigestMismatch, after which
  /// the store has dropped it. Of its own: kDigestUnknown, kImageSizeMismatch, kArtifactChanged
  /// (too often), kTimedOut. Of the store: kNameInvalid, kStorageFull, kMediumFailed. Of the
  /// source: those that no new attempt can cure at once, the others after attempt_count_max
  /// attempts.
  Status Step();

  /// Gives up, and the connection too.
  void Stop();

  State state() const { return state_; }
  /// Size of the artifact once it is known, else 0: also after kStorageFull, for the message.
  uint32_t total_bytes() const { return total_bytes_; }
  /// Bytes that came over the link, over all attempts; a resume does not count them again.
  uint64_t received_bytes() const { return received_bytes_; }

 private:
  enum class Outcome : uint8_t { kNext, kSkip, kRetry, kRefuse };

  static State NextState(State state, Outcome outcome);

  Result<Outcome> Resume();
  Result<Outcome> Request();
  Result<Outcome> Begin();
  Result<Outcome> Receive();
  Result<Outcome> Finish();
  Result<Outcome> Wait();

  Result<Outcome> StepState();
  Status Advance(Outcome outcome);
  Status EnterWaiting();
  void Ask();
  Result<Outcome> Fail(Status why);
  Status LearnImage();
  Result<Outcome> StartOver();
  bool IsTooSlow();
  uint32_t ComputeBackoffMs();

  const Port& port_;
  PayloadSource& source_;
  storage::ModelStore& store_;
  FetchLimits limits_;
  FetchObserver* observer_;
  Prng jitter_;

  FetchRequest request_;
  storage::StageRequest image_;  ///< what is staged, once known
  State state_ = State::kIdle;
  Status failure_ = Status::kOk;  ///< of the last attempt
  ByteSpan unstaged_;             ///< bytes that came and that the store has not taken yet
  std::array<char, 2 + 2 * crypto::kSha256Bytes> validator_ = {};
  uint32_t total_bytes_ = 0;
  uint64_t received_bytes_ = 0;
  uint32_t attempt_count_ = 0;
  uint32_t start_over_count_ = 0;
  uint64_t attempt_first_bytes_ = 0;  ///< received_bytes_ when the attempt began
  uint64_t window_first_bytes_ = 0;   ///< received_bytes_ when the window of patience began
  uint64_t waited_ms_ = 0;            ///< for the peer, in this window
  uint64_t last_step_ms_ = 0;
  uint64_t wait_end_ms_ = 0;
};

}  // namespace ota::agent
