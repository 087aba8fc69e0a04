// SPDX-License-Identifier: Apache-2.0
#include "agent/update/poller.h"

namespace ota::agent {
namespace {

constexpr uint64_t kTimeSavePeriodS = 3600;
constexpr size_t kComponentsBytes = 768;  // of a question, at most

}  // namespace

void Poller::Start(const formats::DeviceProfile& device, const PollWish& wish) {
  record_.Abandon();
  root_count_ = 0;
  answer_ = {};
  if (state_ == State::kIdle) NoteSaved();  // it was loaded
  failure_ = Ask(device, wish);
  state_ = IsOk(failure_) ? State::kAsking : State::kFailed;
}

Status Poller::Ask(const formats::DeviceProfile& device, const PollWish& wish) {
  OTA_TRY(port_.entropy.Fill(nonce_));
  OTA_TRY(const formats::RootMetadata root, formats::DecodeRootMetadata(trust_.root_metadata()));
  if (device.class_ids.size() > formats::kClassIdsMax) return Status::kBufferTooSmall;
  if (message_bytes_.size() < kMessageBytes) return Status::kBufferTooSmall;
  formats::PollQuestion question;
  question.vendor_id = device.vendor_id;
  for (const ByteSpan class_id : device.class_ids) {
    question.class_ids[question.class_id_count++] = class_id;
  }
  question.device_id = device.device_id;
  question.nonce = nonce_;
  question.root_version = root.version;
  question.wants_all = wish.wants_all;
  question.wants_proof = wish.wants_proof;
  OTA_TRY(question.components, EncodeComponents(wish, message_bytes_.last(kComponentsBytes)));
  formats::CborWriter writer(message_bytes_.first(formats::kPollQuestionBytesMax));
  formats::WritePollQuestion(writer, question);
  OTA_TRY(const ByteSpan message, writer.Finish());
  asked_ms_ = port_.clock.now_ms();
  exchange_.Start("/poll", message);
  return Status::kOk;
}

Result<ByteSpan> Poller::EncodeComponents(const PollWish& wish, MutableByteSpan target) const {
  formats::CborWriter writer(target);
  writer.WriteArrayHead(wish.model_names.size());
  for (const std::string_view name : wish.model_names) {
    const uint64_t installed =
        formats::FindTracked(trust_, formats::ComponentKind::kModel, name).installed_sequence;
    formats::WriteSequence(writer, {formats::ComponentKind::kModel, name, installed});
  }
  return writer.Finish();
}

Status Poller::Step(uint32_t operations_max) {
  if (state_ == State::kIdle) return Status::kWrongState;
  if (state_ == State::kDone) return Status::kOk;
  if (state_ == State::kFailed) return failure_;
  const Status status = StepState(operations_max);
  if (status == Status::kBusy) return status;
  if (IsOk(status)) return state_ == State::kDone ? Status::kOk : Status::kBusy;
  exchange_.Close();
  failure_ = status;
  state_ = State::kFailed;
  return status;
}

Status Poller::StepState(uint32_t operations_max) {
  switch (state_) {
    case State::kAsking:
      return TakeAnswer();
    case State::kVerifying:
      return Verify(operations_max);
    case State::kFetchingRoot:
      return TakeRoot();
    case State::kFollowingRoot:
      return FollowRoot(operations_max);
    case State::kSavingRoot:
      return SaveRoot();
    case State::kLooking:
      return Look();
    case State::kSaving:
      OTA_TRY(record_.Save(trust_));
      NoteSaved();
      return Go(State::kDone);
    case State::kIdle:
    case State::kDone:
    case State::kFailed:
      break;
  }
  return Status::kWrongState;
}

Status Poller::Go(State next) {
  state_ = next;
  return Status::kOk;
}

Status Poller::TakeAnswer() {
  OTA_TRY(const uint32_t size_bytes, exchange_.Step(answer_bytes_));
  answered_ms_ = port_.clock.now_ms();
  OTA_TRY(formats::DecodePollAnswer(answer_bytes_.first(size_bytes), answer_));
  return BeginVerification();
}

/// Again after each version of the root metadata, until the one that the statement names is held.
Status Poller::BeginVerification() {
  const Status status = freshness_.Begin(trust_, answer_.freshness, nonce_);
  if (status != Status::kRootOutdated) {
    OTA_TRY(status);
    return Go(State::kVerifying);
  }
  if (root_count_ == kRootsMax) return Status::kRootOutdated;
  OTA_TRY(const formats::RootMetadata held, formats::DecodeRootMetadata(trust_.root_metadata()));
  root_path_ = ServerPath("/roots/", held.version + 1);
  exchange_.Start(root_path_.view(), {});
  return Go(State::kFetchingRoot);
}

Status Poller::TakeRoot() {
  const Result<uint32_t> size_bytes = exchange_.Step(message_bytes_);
  if (size_bytes.status() == Status::kNotFound) return Status::kRootOutdated;
  OTA_TRY(size_bytes);
  OTA_TRY(root_update_.Begin(trust_, message_bytes_.first(*size_bytes)));
  return Go(State::kFollowingRoot);
}

Status Poller::FollowRoot(uint32_t operations_max) {
  OTA_TRY(root_update_.Step(operations_max, trust_));
  ++root_count_;
  return Go(State::kSavingRoot);
}

Status Poller::SaveRoot() {
  OTA_TRY(record_.Save(trust_));
  NoteSaved();
  return BeginVerification();
}

Status Poller::Verify(uint32_t operations_max) {
  OTA_TRY(freshness_.Step(operations_max, trust_));
  time_.Set(trust_.trusted_time_s, asked_ms_, answered_ms_);
  OTA_TRY(formats::CheckRootExpiry(trust_, trust_.trusted_time_s));
  return Go(State::kLooking);
}

/// Storing the record takes the place of an image in staging, which is then fetched anew; so what
/// can be asked again waits for the end of that image, with which it is stored.
Status Poller::Look() {
  const bool has_news =
      SumNewest() != saved_newest_sum_ || trust_.trusted_time_s - saved_time_s_ >= kTimeSavePeriodS;
  if (!has_news) return Go(State::kDone);
  const Result<storage::ImageInfo> staging = store_.FindStaging();
  if (staging.status() == Status::kBusy) return Status::kBusy;
  return Go(staging.status() == Status::kNotFound ? State::kSaving : State::kDone);
}

/// Newest numbers only grow; so their sum tells whether one has.
uint64_t Poller::SumNewest() const {
  uint64_t sum = trust_.component_count;
  for (const formats::TrackedComponent& component : trust_.components) {
    sum += component.newest_sequence;
  }
  return sum;
}

void Poller::NoteSaved() {
  saved_newest_sum_ = SumNewest();
  saved_time_s_ = trust_.trusted_time_s;
}

Result<OfferedEnvelope> Poller::FindOffer(uint32_t index) const {
  if (state_ != State::kDone) return Status::kOutOfRange;
  OfferedEnvelope found;
  OTA_TRY(formats::FindPollOffer(answer_, index, found.offer));
  OTA_TRY(found.component, freshness_.FindNewest(found.offer.newest_index));
  return found;
}

}  // namespace ota::agent
