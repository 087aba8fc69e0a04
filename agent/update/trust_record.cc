// SPDX-License-Identifier: Apache-2.0
#include "agent/update/trust_record.h"

#include <algorithm>

namespace ota::agent {
namespace {

constexpr uint32_t kNoteHeadBytes = 12;

}  // namespace

Status TrustRecord::Load(formats::TrustState& state) {
  OTA_TRY(ReadRecord(state));
  return RaiseAnnounced(state);
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

/// The note: version of the root metadata (4 bytes), sequence number (8 bytes), both little-endian,
/// and the name.
Status TrustRecord::Announce(const formats::TrustState& state, const storage::ModelName& name,
                             uint64_t sequence_number) {
  OTA_TRY(const formats::RootMetadata root, formats::DecodeRootMetadata(state.root_metadata()));
  std::array<uint8_t, kNoteHeadBytes + storage::kModelNameBytesMax> note;
  StoreLe32(note.data(), root.version);
  StoreLe32(note.data() + 4, static_cast<uint32_t>(sequence_number));
  StoreLe32(note.data() + 8, static_cast<uint32_t>(sequence_number >> 32));
  std::copy(name.view().begin(), name.view().end(), note.begin() + kNoteHeadBytes);
  return store_.WriteNote(kNoteKey, ByteSpan(note).first(kNoteHeadBytes + name.view().size()));
}

Status TrustRecord::RaiseAnnounced(formats::TrustState& state) {
  std::array<uint8_t, storage::kNoteBytesMax> note;
  const Result<uint32_t> length = store_.ReadNote(kNoteKey, note);
  if (length.status() == Status::kNotFound) return Status::kOk;
  OTA_TRY(length);
  OTA_TRY(const formats::RootMetadata root, formats::DecodeRootMetadata(state.root_metadata()));
  if (*length < kNoteHeadBytes || LoadLe32(note.data()) != root.version) return Status::kOk;
  const uint64_t announced = LoadLe32(note.data() + 4) | uint64_t{LoadLe32(note.data() + 8)} << 32;
  const std::string_view name(reinterpret_cast<const char*>(note.data()) + kNoteHeadBytes,
                              *length - kNoteHeadBytes);
  const Result<storage::ImageInfo> image = store_.FindImage(name, storage::ImageChoice::kConfirmed);
  if (image.status() == Status::kNotFound) return Status::kOk;
  OTA_TRY(image);
  if (image->sequence_number != announced) return Status::kOk;
  return formats::RaiseInstalledSequence(state, formats::ComponentKind::kModel, name, announced);
}

Status TrustRecord::Save(const formats::TrustState& state) {
  if (step_ == Step::kIdle) {
    OTA_TRY(const ByteSpan record, formats::EncodeTrustState(state, bytes_));
    request_ = {.name = kName,
                .size_bytes = static_cast<uint32_t>(record.size()),
                .digest = crypto::ComputeSha256(record)};
    step_ = Step::kStage;
  }
  const Status status = SaveStep();
  if (status == Status::kBusy) return status;
  step_ = Step::kIdle;
  OTA_TRY(status);
  OTA_TRY(const ByteSpan record, formats::EncodeTrustState(state, bytes_));
  return crypto::ComputeSha256(record) == request_.digest ? Status::kOk : Status::kBusy;
}

void TrustRecord::Abandon() {
  if (step_ == Step::kConfirm) return;
  step_ = Step::kIdle;
  writer_.Abandon();
}

Status TrustRecord::SaveStep() {
  switch (step_) {
    case Step::kStage:
      OTA_TRY(writer_.Stage(request_, ByteSpan(bytes_).first(request_.size_bytes)));
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
