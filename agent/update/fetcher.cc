// SPDX-License-Identifier: Apache-2.0
#include "agent/update/fetcher.h"

#include <algorithm>

#include "agent/update/digest_tag.h"

namespace ota::agent {
namespace {

using storage::ImageInfo;

/// Whether another attempt may end better.
bool IsCurable(Status status) {
  switch (status) {
    case Status::kHostNotFound:
    case Status::kConnectionRefused:
    case Status::kConnectionLost:
    case Status::kTimedOut:
    case Status::kTlsFailed:
      return true;
    default:
      return false;
  }
}

/// Statuses of refusal that pass (RFC 9110 15): the server is overloaded or being restarted.
bool IsCurableHttpStatus(uint16_t status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

uint32_t SeedFrom(Entropy& entropy, const Clock& clock) {
  std::array<uint8_t, 4> seed = {};
  if (!IsOk(entropy.Fill(seed))) StoreLe32(seed.data(), static_cast<uint32_t>(clock.now_ms()));
  return LoadLe32(seed.data()) | 1;  // never 0
}

}  // namespace

Fetcher::Fetcher(const Port& port, PayloadSource& source, storage::ModelStore& store,
                 const FetchLimits& limits, FetchObserver* observer)
    : port_(port),
      source_(source),
      store_(store),
      limits_(limits),
      observer_(observer),
      jitter_(SeedFrom(port.entropy, port.clock)) {}

// The one table: where each state goes by the outcome of its step. What cannot happen fails.
Fetcher::State Fetcher::NextState(State state, Outcome outcome) {
  struct Row {
    State state, next, skip, retry, refuse;
  };
  using enum State;
  static constexpr Row kTable[] = {
      // state       kNext        kSkip        kRetry    kRefuse
      {kResuming, kRequesting, kFinishing, kFailed, kFailed},    // skip: all bytes are there
      {kRequesting, kBeginning, kReceiving, kWaiting, kFailed},  // skip: the rest of it comes
      {kBeginning, kReceiving, kFailed, kFailed, kFailed},
      {kReceiving, kFinishing, kRequesting, kWaiting, kFailed},
      {kFinishing, kStaged, kFailed, kFailed, kFailed},
      {kWaiting, kRequesting, kFailed, kFailed, kFailed},
  };
  for (const Row& row : kTable) {
    if (row.state != state) continue;
    switch (outcome) {
      case Outcome::kNext:
        return row.next;
      case Outcome::kSkip:
        return row.skip;
      case Outcome::kRetry:
        return row.retry;
      case Outcome::kRefuse:
        return row.refuse;
    }
  }
  return kFailed;
}

void Fetcher::Start(const FetchRequest& request) {
  // Between two fetches a connection may be kept.
  if (state_ != State::kIdle && state_ != State::kStaged) Stop();
  request_ = request;
  image_ = {};
  image_.name = request.name;
  failure_ = Status::kOk;
  unstaged_ = {};
  total_bytes_ = 0;
  received_bytes_ = 0;
  attempt_count_ = 0;
  start_over_count_ = 0;
  last_step_ms_ = port_.clock.now_ms();
  state_ = State::kResuming;
}

void Fetcher::Stop() {
  source_.Close();
  unstaged_ = {};
  state_ = State::kIdle;
}

Status Fetcher::Step() {
  if (state_ == State::kIdle) return Status::kWrongState;
  if (state_ == State::kStaged) return Status::kOk;
  if (state_ == State::kFailed) return failure_;
  const Result<Outcome> outcome = StepState();
  last_step_ms_ = port_.clock.now_ms();
  if (outcome.status() == Status::kBusy) return Status::kBusy;
  if (outcome.ok()) return Advance(*outcome);
  failure_ = outcome.status();
  return Advance(Outcome::kRefuse);
}

Result<Fetcher::Outcome> Fetcher::StepState() {
  switch (state_) {
    case State::kResuming:
      return Resume();
    case State::kRequesting:
      return Request();
    case State::kBeginning:
      return Begin();
    case State::kReceiving:
      return Receive();
    case State::kFinishing:
      return Finish();
    case State::kWaiting:
      return Wait();
    case State::kIdle:
    case State::kStaged:
    case State::kFailed:
      break;
  }
  return Status::kWrongState;
}

Status Fetcher::Advance(Outcome outcome) {
  state_ = NextState(state_, outcome);
  switch (state_) {
    case State::kRequesting:
      Ask();
      return Status::kBusy;
    case State::kWaiting:
      return EnterWaiting();
    case State::kStaged:
      return Status::kOk;
    case State::kFailed:
      source_.Close();
      return failure_;
    default:
      return Status::kBusy;
  }
}

Result<Fetcher::Outcome> Fetcher::Resume() {
  if (!request_.name.is_valid()) return Status::kNameInvalid;
  const Result<ImageInfo> staging = store_.FindStaging();
  if (staging.status() == Status::kBusy) return Status::kBusy;
  if (staging.status() == Status::kNotFound) return Outcome::kNext;
  if (!staging.ok()) return staging.status();
  const bool is_wanted =
      staging->name == request_.name &&
      (!request_.expected || (request_.expected->digest == staging->digest &&
                              request_.expected->size_bytes == staging->size_bytes));
  if (!is_wanted) return Outcome::kNext;  // Begin will drop it
  OTA_TRY(store_.Resume());
  image_.size_bytes = staging->size_bytes;
  image_.digest = staging->digest;
  image_.sequence_number = staging->sequence_number;
  total_bytes_ = image_.size_bytes;
  return store_.staged_bytes() == image_.size_bytes ? Outcome::kSkip : Outcome::kNext;
}

/// Asks for what is missing of the image in staging, or for the whole.
void Fetcher::Ask() {
  waited_ms_ = 0;
  unstaged_ = {};
  window_first_bytes_ = received_bytes_;
  attempt_first_bytes_ = received_bytes_;
  PayloadSource::Request ask = {.path = request_.path, .offset = 0, .validator = {}};
  if (image_.size_bytes != 0) {
    FormatDigestTag(image_.digest, validator_);
    ask.offset = store_.staged_bytes();
    ask.validator = {validator_.data(), validator_.size()};
  }
  source_.Start(ask);
}

/// Curable failures lead to another attempt, the others end the fetch.
Result<Fetcher::Outcome> Fetcher::Fail(Status why) {
  const bool is_curable = why == Status::kHttpStatusUnexpected
                              ? IsCurableHttpStatus(source_.http_status())
                              : IsCurable(why);
  if (!is_curable) return why;
  failure_ = why;
  return Outcome::kRetry;
}

bool Fetcher::IsTooSlow() {
  if (received_bytes_ - window_first_bytes_ >= limits_.progress_bytes_min) {
    window_first_bytes_ = received_bytes_;
    waited_ms_ = 0;
  }
  waited_ms_ += port_.clock.now_ms() - last_step_ms_;
  return waited_ms_ >= limits_.progress_timeout_ms;
}

Result<Fetcher::Outcome> Fetcher::Request() {
  const Result<PayloadSource::Event> event = source_.Step();
  if (event.status() == Status::kBusy) {
    return IsTooSlow() ? Fail(Status::kTimedOut) : Status::kBusy;
  }
  if (event.status() == Status::kArtifactChanged && image_.size_bytes != 0) return StartOver();
  if (!event.ok()) return Fail(event.status());
  if (image_.size_bytes != 0 && source_.first_offset() == store_.staged_bytes() &&
      source_.first_offset() > 0) {
    const std::string_view validator(validator_.data(), validator_.size());
    const bool is_same = source_.total_bytes() == image_.size_bytes &&
                         (source_.validator().empty() || source_.validator() == validator);
    if (!is_same) return StartOver();
    if (observer_ != nullptr) observer_->OnStart(source_.first_offset(), total_bytes_);
    return Outcome::kSkip;
  }
  if (image_.size_bytes != 0 && store_.staged_bytes() > 0) {
    if (++start_over_count_ > limits_.start_over_count_max) return Status::kArtifactChanged;
    if (observer_ != nullptr) observer_->OnStartOver();
  }
  OTA_TRY(LearnImage());
  return Outcome::kNext;
}

/// The artifact at the server is another one, and only a part of it is on offer: ask for the whole.
Result<Fetcher::Outcome> Fetcher::StartOver() {
  if (++start_over_count_ > limits_.start_over_count_max) return Status::kArtifactChanged;
  if (observer_ != nullptr) observer_->OnStartOver();
  image_.size_bytes = 0;
  Ask();
  return Status::kBusy;
}

/// What the source announced, against what must be.
Status Fetcher::LearnImage() {
  const uint64_t total_bytes = source_.total_bytes();
  image_.size_bytes = 0;
  total_bytes_ = static_cast<uint32_t>(std::min<uint64_t>(total_bytes, UINT32_MAX));
  if (request_.expected) {
    if (total_bytes != request_.expected->size_bytes) return Status::kImageSizeMismatch;
    image_.digest = request_.expected->digest;
    image_.sequence_number = request_.expected->sequence_number;
  } else {
    if (total_bytes > UINT32_MAX) return Status::kStorageFull;
    const auto digest = ParseDigestTag(source_.validator());
    if (!digest) return Status::kDigestUnknown;
    image_.digest = *digest;
  }
  image_.size_bytes = total_bytes_;
  return Status::kOk;
}

Result<Fetcher::Outcome> Fetcher::Begin() {
  const Result<ImageInfo> present = store_.FindImage(image_.name, storage::ImageChoice::kInUse);
  if (present.status() == Status::kBusy) return Status::kBusy;
  if (present.ok() && present->digest == image_.digest) return Status::kAlreadyExists;
  OTA_TRY(store_.Begin(image_));
  if (observer_ != nullptr) observer_->OnStart(0, total_bytes_);
  return Outcome::kNext;
}

Result<Fetcher::Outcome> Fetcher::Receive() {
  if (!unstaged_.empty()) {
    const Result<uint32_t> taken_bytes = store_.Append(unstaged_);
    if (taken_bytes.status() == Status::kOutOfRange) return Status::kPayloadTooLarge;
    if (!taken_bytes.ok()) return taken_bytes.status();
    unstaged_ = unstaged_.subspan(*taken_bytes);
    if (observer_ != nullptr) observer_->OnProgress(store_.staged_bytes(), total_bytes_);
    return Status::kBusy;
  }
  const Result<PayloadSource::Event> event = source_.Step();
  if (event.status() == Status::kBusy) {
    return IsTooSlow() ? Fail(Status::kTimedOut) : Status::kBusy;
  }
  if (!event.ok()) return Fail(event.status());
  if (event->kind == PayloadSource::EventKind::kEnd) {
    const bool is_whole = store_.staged_bytes() == image_.size_bytes;
    return is_whole ? Outcome::kNext : Fail(Status::kConnectionLost);
  }
  unstaged_ = event->data;
  received_bytes_ += unstaged_.size();
  return Status::kBusy;
}

Result<Fetcher::Outcome> Fetcher::Finish() {
  OTA_TRY(store_.Finish());
  return Outcome::kNext;
}

Status Fetcher::EnterWaiting() {
  unstaged_ = {};
  const bool has_progressed = received_bytes_ - attempt_first_bytes_ >= limits_.progress_bytes_min;
  attempt_count_ = has_progressed ? 1 : attempt_count_ + 1;
  if (attempt_count_ >= limits_.attempt_count_max) {
    state_ = State::kFailed;
    source_.Close();
    return failure_;
  }
  const uint32_t wait_ms = ComputeBackoffMs();
  source_.Close();
  wait_end_ms_ = port_.clock.now_ms() + wait_ms;
  if (observer_ != nullptr) observer_->OnRetry(failure_, attempt_count_, wait_ms);
  return Status::kBusy;
}

uint32_t Fetcher::ComputeBackoffMs() {
  const uint32_t doublings = std::min<uint32_t>(attempt_count_ - 1, 31);
  const auto own_ms = static_cast<uint32_t>(
      std::min<uint64_t>(uint64_t{limits_.backoff_first_ms} << doublings, limits_.backoff_ms_max));
  const auto asked_ms = static_cast<uint32_t>(
      std::min<uint64_t>(uint64_t{source_.retry_after_s()} * 1000, limits_.backoff_ms_max));
  if (asked_ms > own_ms) return asked_ms + jitter_.NextBelow(asked_ms / 4 + 1);
  return own_ms - jitter_.NextBelow(own_ms / 2 + 1);
}

Result<Fetcher::Outcome> Fetcher::Wait() {
  if (port_.clock.now_ms() < wait_end_ms_) return Status::kBusy;
  return Outcome::kNext;
}

}  // namespace ota::agent
