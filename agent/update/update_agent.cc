// SPDX-License-Identifier: Apache-2.0
#include "agent/update/update_agent.h"

#include <algorithm>

namespace ota::agent {

void UpdateAgent::Start(const formats::DeviceProfile& device, const PollWish& wish) {
  device_ = device;
  wants_proof_ = wish.wants_proof;
  first_failure_ = Status::kOk;
  offer_index_ = 0;
  updated_bytes_ = 0;
  poller_.Start(device, wish);
  state_ = State::kPolling;
}

Status UpdateAgent::Step() {
  if (state_ == State::kIdle) return Status::kWrongState;
  if (state_ == State::kDone) return first_failure_;
  const State before = state_;
  const Status status = StepState();
  if (status == Status::kBusy) return status;
  if (before == State::kPolling) {
    first_failure_ = status;
    state_ = IsOk(status) ? State::kChoosing : State::kDone;
    if (IsOk(status) && observer_ != nullptr) {
      observer_->OnPolled(poller_.now_s(), poller_.offer_count());
    }
  } else if (before == State::kMoving) {
    if (IsOk(first_failure_)) first_failure_ = status;
  } else if (!IsOk(status) || before == State::kUpdating) {
    End(status);
  }
  return state_ == State::kDone ? first_failure_ : Status::kBusy;
}

bool UpdateAgent::is_waiting_for_network() const {
  const Poller::State polling = poller_.state();
  const Fetcher::State fetching = fetcher_.state();
  switch (state_) {
    case State::kPolling:
      return polling == Poller::State::kAsking || polling == Poller::State::kFetchingRoot;
    case State::kFetching:
      return true;
    case State::kUpdating:
      return updater_.state() == Updater::State::kFetching &&
             (fetching == Fetcher::State::kRequesting || fetching == Fetcher::State::kReceiving ||
              fetching == Fetcher::State::kWaiting);
    case State::kIdle:
    case State::kChoosing:
    case State::kMoving:
    case State::kDone:
      break;
  }
  return false;
}

Status UpdateAgent::StepState() {
  switch (state_) {
    case State::kPolling:
      return poller_.Step(budget_.curve_operations_max);
    case State::kChoosing:
      return Choose();
    case State::kFetching:
      return TakeEnvelope();
    case State::kUpdating:
      return updater_.Step();
    case State::kMoving:
      return MoveModels();
    case State::kIdle:
    case State::kDone:
      break;
  }
  return Status::kWrongState;
}

Status UpdateAgent::Choose() {
  if (offer_index_ == poller_.offer_count()) {
    state_ = rotation_ != nullptr && updated_bytes_ != 0 ? State::kMoving : State::kDone;
    return Status::kOk;
  }
  offer_ = {};
  OTA_TRY(offer_, poller_.FindOffer(offer_index_));
  if (observer_ != nullptr) observer_->OnOffer(offer_.component);
  envelope_path_ = ServerPath("/envelopes/", offer_.offer.envelope_digest);
  exchange_.Start(envelope_path_.view(), {});
  state_ = State::kFetching;
  return Status::kOk;
}

Status UpdateAgent::TakeEnvelope() {
  OTA_TRY(const uint32_t size_bytes, exchange_.Step(envelope_bytes_));
  const ByteSpan envelope = envelope_bytes_.first(size_bytes);
  const crypto::Sha256Digest digest = crypto::ComputeSha256(envelope);
  const ByteSpan offered = offer_.offer.envelope_digest;
  const bool is_offered = size_bytes == offer_.offer.envelope_bytes &&
                          std::equal(digest.begin(), digest.end(), offered.begin(), offered.end());
  if (!is_offered) return Status::kDigestMismatch;
  if (wants_proof_) OTA_TRY(formats::VerifyLogProof(offer_.offer, poller_.log(), envelope));
  updater_.Start(envelope, device_, poller_.now_s());
  state_ = State::kUpdating;
  return Status::kOk;
}

/// What is in staging, since an update broke off, goes first.
Status UpdateAgent::MoveModels() {
  const Status status = rotation_->Move(updated_bytes_);
  if (status == Status::kBusy) return status;
  state_ = State::kDone;
  return status == Status::kWrongState ? Status::kOk : status;
}

void UpdateAgent::End(Status status) {
  if (!IsOk(status)) {
    exchange_.Close();
    if (IsOk(first_failure_)) first_failure_ = status;
  } else {
    poller_.NoteSaved();
    updated_bytes_ += fetcher_.total_bytes();
  }
  if (observer_ != nullptr) observer_->OnReleaseEnd(offer_.component, status);
  ++offer_index_;
  state_ = State::kChoosing;
}

}  // namespace ota::agent
