// SPDX-License-Identifier: Apache-2.0
#include "agent/update/updater.h"

#include <algorithm>

namespace ota::agent {
namespace {

constexpr std::string_view kPayloadFolder = "/payloads/";

}  // namespace

void Updater::Start(ByteSpan envelope, const formats::DeviceProfile& device, uint64_t now_s) {
  CloseStaged();
  record_.Abandon();
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
    case State::kCounting:
      return Count();
    case State::kFetching:
      return fetcher_.Step();
    case State::kOpening:
      return OpenStaged();
    case State::kTesting:
      return Test();
    case State::kAnnouncing:
      return record_.Announce(trust_, name_, manifest_.sequence_number);
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
  expected_ = {.size_bytes = manifest_.image_size_bytes,
               .digest = {},
               .sequence_number = manifest_.sequence_number};
  if (manifest_.image_digest.size() != expected_.digest.size()) return Status::kManifestMalformed;
  std::copy(manifest_.image_digest.begin(), manifest_.image_digest.end(), expected_.digest.begin());
  is_installed_ = installed.ok() && installed->digest == expected_.digest;
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
  return stage_ != nullptr ? stage_->OpenKey(budget_.curve_operations_max) : Status::kOk;
}

Status Updater::Count() {
  const Result<storage::ImageInfo> staging = store_.FindStaging();
  if (staging.status() == Status::kBusy) return Status::kBusy;
  const bool is_resumed = staging.ok() && staging->digest == expected_.digest;
  if (!is_resumed && !is_installed_) OTA_TRY(attempts_.Count(expected_.digest, now_s_));
  std::string_view path = manifest_.uri;
  if (path == formats::kUriByDigest) {
    const bool is_image = manifest_.payload_digest.empty();
    payload_path_ =
        ServerPath(kPayloadFolder, is_image ? manifest_.image_digest : manifest_.payload_digest);
    path = payload_path_.view();
  }
  fetcher_.Start({.name = name_, .path = path, .expected = expected_});
  return Status::kOk;
}

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

/// The number was announced, and the image holds it; so a power cut before this is done loses
/// nothing (TrustRecord::Load).
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
