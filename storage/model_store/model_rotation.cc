// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/model_rotation.h"

#include <algorithm>

namespace ota::storage {

Status ModelRotation::Move() {
  const Status status = Drive();
  if (status != Status::kBusy) End();
  return status == Status::kEndOfInput ? Status::kOk : status;
}

void ModelRotation::End() {
  if (source_ != nullptr) store_.Close(source_);
  source_ = nullptr;
  step_ = Step::kChoose;
}

/// kEndOfInput: there is nothing to be moved.
Status ModelRotation::Drive() {
  switch (step_) {
    case Step::kChoose:
      OTA_TRY(Choose());
      step_ = Step::kBegin;
      [[fallthrough]];
    case Step::kBegin:
      OTA_TRY(store_.Begin(request_));
      step_ = Step::kCopy;
      [[fallthrough]];
    case Step::kCopy:
      OTA_TRY(Copy());
      step_ = Step::kFinish;
      [[fallthrough]];
    case Step::kFinish:
      OTA_TRY(store_.Finish());
      step_ = Step::kActivate;
      [[fallthrough]];
    case Step::kActivate:
      OTA_TRY(store_.Activate(request_.name));
      step_ = Step::kConfirm;
      [[fallthrough]];
    case Step::kConfirm:
      return store_.Confirm(request_.name);
  }
  return Status::kWrongState;
}

Result<bool> ModelRotation::ReadIsMovable(const ImageInfo& info) {
  if (info.state != ImageState::kConfirmed) return false;
  const Status candidate = store_.FindImage(info.name, ImageChoice::kCandidate).status();
  if (IsOk(candidate) || candidate == Status::kNotFound) return candidate == Status::kNotFound;
  return candidate;
}

uint32_t ModelRotation::UnitCount(uint32_t size_bytes) const {
  return store_.NeededBytes(size_bytes) / store_.NeededBytes(1);
}

/// Where the newest image ends, counted from the first place.
Result<uint32_t> ModelRotation::ReadNewestEnd(uint32_t first_place) {
  ImageInfo newest;
  for (uint32_t i = 0; i < store_.image_count(); ++i) {
    OTA_TRY(const ImageInfo info, store_.ReadImageInfo(i));
    if (info.nonce >= newest.nonce) newest = info;
  }
  return newest.place - first_place + UnitCount(newest.size_bytes);
}

Status ModelRotation::Choose() {
  if (store_.FindStaging().status() != Status::kNotFound) return Status::kWrongState;
  if (store_.image_count() == 0) return Status::kEndOfInput;
  const StoreSpace space = store_.space();
  const uint32_t unit_count = space.total_bytes / store_.NeededBytes(1);
  OTA_TRY(const uint32_t begin, ReadNewestEnd(space.first_place));
  uint32_t free_count = UINT32_MAX;  // in a row, from there on, and round the end
  uint32_t least_distance = UINT32_MAX;
  for (uint32_t i = 0; i < store_.image_count(); ++i) {
    OTA_TRY(const ImageInfo info, store_.ReadImageInfo(i));
    OTA_TRY(const bool is_movable, ReadIsMovable(info));
    const uint32_t at = info.place - space.first_place;
    const uint32_t distance = at >= begin ? at - begin : at + unit_count - begin;
    free_count = std::min(free_count, distance);
    if (!is_movable || distance >= least_distance) continue;
    least_distance = distance;
    request_ = {info.name, info.size_bytes, info.digest, info.sequence_number};
  }
  const bool is_due = least_distance != UINT32_MAX && free_count < UnitCount(request_.size_bytes);
  if (!is_due) return Status::kEndOfInput;
  OTA_TRY(source_, store_.Open(request_.name, ImageChoice::kConfirmed));
  return Status::kOk;
}

Status ModelRotation::Copy() {
  while (store_.staged_bytes() < request_.size_bytes) {
    const uint32_t at = store_.staged_bytes();
    const MutableByteSpan part =
        buffer_.first(std::min<size_t>(buffer_.size(), request_.size_bytes - at));
    OTA_TRY(source_->Read(at, part));
    OTA_TRY(store_.Append(part).status());
  }
  return Status::kOk;
}

}  // namespace ota::storage
