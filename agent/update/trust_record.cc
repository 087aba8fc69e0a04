// SPDX-License-Identifier: Apache-2.0
#include "agent/update/trust_record.h"

namespace ota::agent {

Status TrustRecord::Load(formats::TrustState& state) {
  OTA_TRY(ReadRecord(state));
  return RaiseFromImages(state);
}

Status TrustRecord::ReadRecord(formats::TrustState& state) {
  OTA_TRY(ByteSource* const source, store_.Open(kName, storage::ImageChoice::kConfirmed));
  const uint32_t size_bytes = source->size_bytes();
  Status status = Status::kTrustStateInvalid;
  if (size_bytes <= bytes_.size()) {
    const MutableByteSpan record = MutableByteSpan(bytes_).first(size_bytes);
    status = source->Read(0, record);
    if (IsOk(status)) status = formats::DecodeTrustState(record, state);
  }
  store_.Close(source);
  return status;
}

Status TrustRecord::RaiseFromImages(formats::TrustState& state) {
  for (uint32_t i = 0; i < store_.image_count(); ++i) {
    OTA_TRY(const storage::ImageInfo info, store_.ReadImageInfo(i));
    if (info.state != storage::ImageState::kConfirmed || info.sequence_number == 0) continue;
    OTA_TRY(formats::RaiseInstalledSequence(state, formats::ComponentKind::kModel, info.name.view(),
                                            info.sequence_number));
  }
  return Status::kOk;
}

Status TrustRecord::Save(const formats::TrustState& state) {
  if (step_ == Step::kIdle) {
    OTA_TRY(const ByteSpan record, formats::EncodeTrustState(state, bytes_));
    request_ = {.name = kName,
                .size_bytes = static_cast<uint32_t>(record.size()),
                .digest = crypto::ComputeSha256(record)};
    step_ = Step::kBegin;
  }
  const Status status = SaveStep();
  if (status != Status::kBusy) step_ = Step::kIdle;
  return status;
}

Status TrustRecord::SaveStep() {
  switch (step_) {
    case Step::kBegin:
      OTA_TRY(store_.Begin(request_));
      step_ = Step::kAppend;
      return Status::kBusy;
    case Step::kAppend: {
      const uint32_t staged_bytes = store_.staged_bytes();
      if (staged_bytes < request_.size_bytes) {
        OTA_TRY(store_.Append(
            ByteSpan(bytes_).subspan(staged_bytes, request_.size_bytes - staged_bytes)));
        return Status::kBusy;
      }
      step_ = Step::kFinish;
      return Status::kBusy;
    }
    case Step::kFinish:
      OTA_TRY(store_.Finish());
      step_ = Step::kActivate;
      return Status::kBusy;
    case Step::kActivate:
      OTA_TRY(store_.Activate(request_.name));
      step_ = Step::kConfirm;
      return Status::kBusy;
    case Step::kConfirm:
      return store_.Confirm(request_.name);
    case Step::kIdle:
      break;
  }
  return Status::kWrongState;
}

}  // namespace ota::agent
