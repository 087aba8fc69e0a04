// SPDX-License-Identifier: Apache-2.0
#include "agent/update/updater.h"

#include <algorithm>

namespace ota::agent {

void Updater::Start(ByteSpan envelope, const formats::DeviceProfile& device, uint64_t now_s) {
  CloseStaged();
  envelope_ = envelope;
  device_ = device;
  now_s_ = now_s;
  manifest_ = {};
  failure_ = verification_.Begin(trust_, envelope_);
  state_ = IsOk(failure_) ? State::kVerifying : State::kFailed;
}

Status Updater::Step() {
  if (state_ == State::kIdle) return Status::kWrongState;
  if (state_ == State::kDone) return Status::kOk;
  if (state_ == State::kFailed) return failure_;
  const Status status = StepState();
  if (status == Status::kBusy) return status;
  if (state_ == State::kFetching && status == Status::kAlreadyExists) {
    state_ = State::kRecording;  // the same image under a newer number
    return Status::kBusy;
  }
  if (!IsOk(status)) {
    CloseStaged();
    failure_ = status;
    state_ = State::kFailed;
    return status;
  }
  state_ = static_cast<State>(static_cast<uint8_t>(state_) + 1);
  return state_ == State::kDone ? Status::kOk : Status::kBusy;
}

Status Updater::StepState() {
  switch (state_) {
    case State::kVerifying:
      return verification_.Step(budget_.curve_operations_max, manifest_);
    case State::kChecking:
      return Check();
    case State::kOpeningKey:
      return OpenKey();
    case State::kFetching:
      return Fetch();
    case State::kOpening:
      return OpenStaged();
    case State::kTesting:
      return Test();
    case State::kActivating:
      return store_.Activate(name_);
    case State::kConfirming:
      return store_.Confirm(name_);
    case State::kRecording:
      return Record();
    case State::kIdle:
    case State::kDone:
    case State::kFailed:
      break;
  }
  return Status::kWrongState;
}

Status Updater::Check() {
  name_ = manifest_.component_name;
  if (!name_.is_valid() || name_.view() == TrustRecord::kName) return Status::kNameInvalid;
  const Result<storage::ImageInfo> installed =
      store_.FindImage(name_, storage::ImageChoice::kConfirmed);
  if (!installed.ok() && installed.status() != Status::kNotFound) return installed.status();
  if (installed.ok()) device_.installed_digest = installed->digest;
  OTA_TRY(formats::CheckManifest(manifest_, device_, trust_, now_s_));
  device_.installed_digest = {};
  return PreparePayload();
}

/// Finds out how the payload travels; refuses an envelope that holds more or less than it should.
Status Updater::PreparePayload() {
  const bool is_integrated = manifest_.is_payload_integrated();
  const std::string_view uri = is_integrated ? manifest_.uri : std::string_view();
  MemoryByteSource source(envelope_);
  OTA_TRY(const formats::PayloadLocation location,
          formats::FindPayload(source, verification_.envelope(), uri));
  if (is_integrated && location.size_bytes != manifest_.payload_size_bytes) {
    return Status::kImageSizeMismatch;
  }
  const bool needs_stage = is_integrated || !manifest_.encryption_info.empty();
  if (manifest_.encoding_count != 0 || (needs_stage && stage_ == nullptr)) {
    return Status::kNotSupported;
  }
  if (stage_ == nullptr) return Status::kOk;
  return stage_->Prepare(manifest_, envelope_.subspan(location.offset, location.size_bytes));
}

Status Updater::OpenKey() {
  if (stage_ != nullptr) OTA_TRY(stage_->OpenKey(budget_.curve_operations_max));
  ExpectedImage expected = {.size_bytes = manifest_.image_size_bytes,
                            .sequence_number = manifest_.sequence_number};
  if (manifest_.image_digest.size() != expected.digest.size()) return Status::kManifestMalformed;
  std::copy(manifest_.image_digest.begin(), manifest_.image_digest.end(), expected.digest.begin());
  fetcher_.Start({.name = name_, .path = manifest_.uri, .expected = expected});
  return Status::kOk;
}

Status Updater::Fetch() { return fetcher_.Step(); }

Status Updater::OpenStaged() {
  if (staged_ == nullptr) {
    OTA_TRY(staged_, store_.Open(name_, storage::ImageChoice::kCandidate));
  }
  return self_tests_.Begin(*staged_, arena_, manifest_.model);
}

Status Updater::Test() {
  OTA_TRY(self_tests_.Step(budget_.macs_max));
  CloseStaged();
  return Status::kOk;
}

/// The store's record of the image holds its sequence number already; so a power cut before this is
/// done loses nothing (TrustRecord::Load).
Status Updater::Record() {
  OTA_TRY(formats::RaiseInstalledSequence(trust_, manifest_.kind, manifest_.component_name,
                                          manifest_.sequence_number));
  return record_.Save(trust_);
}

void Updater::CloseStaged() {
  if (staged_ != nullptr) store_.Close(staged_);
  staged_ = nullptr;
}

}  // namespace ota::agent
