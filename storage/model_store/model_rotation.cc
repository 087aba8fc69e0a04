// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/model_rotation.h"

#include <algorithm>

namespace ota::storage {

Status ModelRotation::Move(uint32_t update_bytes) {
  update_bytes_ = update_bytes;
  Status status = Status::kOk;
  while (IsOk(status)) {
    status = Drive();
    if (status == Status::kBusy) return status;
    End();
  }
  first_nonce_ = 0;
  const bool is_done = status == Status::kEndOfInput || status == Status::kStorageFull;
  return is_done ? Status::kOk : status;
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

Result<ImageInfo> ModelRotation::ReadNewest() {
  ImageInfo newest;
  for (uint32_t i = 0; i < store_.image_count(); ++i) {
    OTA_TRY(const ImageInfo info, store_.ReadImageInfo(i));
    if (info.nonce >= newest.nonce) newest = info;
  }
  return newest;
}

/// The nearest image ahead of the newest, going round the end.
Result<ImageInfo> ModelRotation::ReadNext(const ImageInfo& newest) {
  ImageInfo next = newest;
  for (uint32_t i = 0; i < store_.image_count(); ++i) {
    OTA_TRY(const ImageInfo info, store_.ReadImageInfo(i));
    if (info.place - newest.place - 1 < next.place - newest.place - 1) next = info;
  }
  return next;
}

/// It is due if there is no room for it and an update half as large again as the one before.
/// If there is not even room for it alone, the store finds another place: so what is free becomes
/// one piece again. Those that this turn has moved are newer than that one.
Status ModelRotation::Choose() {
  if (store_.FindStaging().status() != Status::kNotFound) return Status::kWrongState;
  const StoreSpace space = store_.space();
  if (space.first_place == 0 || store_.image_count() == 0 ||
      space.free_bytes < space.total_bytes / kFullness) {
    return Status::kEndOfInput;
  }
  OTA_TRY(const ImageInfo newest, ReadNewest());
  OTA_TRY(const ImageInfo next, ReadNext(newest));
  if (first_nonce_ == 0) first_nonce_ = newest.nonce;
  OTA_TRY(const bool is_movable, ReadIsMovable(next));
  if (!is_movable || next.nonce > first_nonce_) return Status::kEndOfInput;
  const uint32_t size = UnitCount(next.size_bytes);
  const uint32_t room = ComputeRoom(space, newest, next);
  if (room >= size + UnitCount(update_bytes_) * 3 / 2) return Status::kEndOfInput;
  OTA_TRY(source_, store_.Open(next.name, ImageChoice::kConfirmed));
  request_ = {next.name, next.size_bytes, next.digest, next.sequence_number};
  return Status::kOk;
}

/// Units in a row behind `newest`; if `next` lies at the start of the medium and has to be moved to
/// its end, those there.
uint32_t ModelRotation::ComputeRoom(const StoreSpace& space, const ImageInfo& newest,
                                    const ImageInfo& next) const {
  const uint32_t begin = newest.place + UnitCount(newest.size_bytes);
  if (next.place > newest.place) return next.place - begin;
  const uint32_t end = space.first_place + space.total_bytes / store_.NeededBytes(1);
  const uint32_t room = next.place - space.first_place;
  const uint32_t size = UnitCount(next.size_bytes);
  return room >= size + UnitCount(update_bytes_) * 3 / 2 || end - begin < size ? room : end - begin;
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
