// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/read_ahead.h"

#include <algorithm>

#include "storage/block_device/flash_driver.h"

namespace ota::storage {

// --- device

bool ReadAheadDevice::TryBeginAhead(MutableByteSpan memory) {
  if (!memory_.empty()) return false;
  memory_ = memory;
  filled_bytes_ = 0;
  interruption_count_ = 0;
  return true;
}

void ReadAheadDevice::EndAhead() {
  Interrupt();
  memory_ = {};
}

void ReadAheadDevice::Interrupt() {
  if (!is_transferring_) return;
  transfer_.AbandonRead();
  is_transferring_ = false;
  interruption_count_ += 1;
}

Status ReadAheadDevice::Read(uint32_t offset, MutableByteSpan target) {
  const auto first = reinterpret_cast<uintptr_t>(memory_.data());
  const auto at = reinterpret_cast<uintptr_t>(target.data());
  const bool is_ahead = interruption_count_ < kInterruptionCountMax && !target.empty() &&
                        at >= first && IsInBounds(at - first, target.size(), memory_.size());
  if (is_ahead) return ReadAhead(offset, target);
  Interrupt();
  return device_.Read(offset, target);
}

Status ReadAheadDevice::ReadAhead(uint32_t offset, MutableByteSpan target) {
  const auto end = static_cast<size_t>(target.data() + target.size() - memory_.data());
  if (end <= filled_bytes_) return Status::kOk;
  const bool is_same =
      offset == offset_ && target.data() == target_.data() && target.size() == target_.size();
  if (is_transferring_ && !is_same) Interrupt();
  if (!is_transferring_) {
    OTA_TRY(CheckRange(geometry(), geometry().read_unit, offset, target.size()));
    if (device_.is_busy()) return Status::kBusy;
    OTA_TRY(transfer_.StartRead(offset, target));
    is_transferring_ = true;
    offset_ = offset;
    target_ = target;
    return Status::kBusy;
  }
  const Status status = transfer_.PollRead();
  if (status == Status::kBusy) return status;
  is_transferring_ = false;
  if (IsOk(status)) filled_bytes_ = end;
  return status;
}

Status ReadAheadDevice::Program(uint32_t offset, ByteSpan data) {
  Interrupt();
  return device_.Program(offset, data);
}

Status ReadAheadDevice::Erase(uint32_t offset, uint32_t length) {
  Interrupt();
  return device_.Erase(offset, length);
}

Status ReadAheadDevice::Sync() {
  Interrupt();
  return device_.Sync();
}

// --- source

Status ReadAheadSource::Read(uint32_t offset, MutableByteSpan target) {
  return source_.Read(offset, target);
}

void ReadAheadSource::Drive() {
  if (is_started_ && result_ == Status::kBusy) result_ = ReadRest();
}

Status ReadAheadSource::ReadRest() {
  const size_t ends[] = {ahead_begin_, ahead_end_, target_.size()};
  for (const size_t end : ends) {
    if (end <= filled_bytes_) continue;
    const MutableByteSpan part = target_.subspan(filled_bytes_, end - filled_bytes_);
    OTA_TRY(source_.Read(offset_ + static_cast<uint32_t>(filled_bytes_), part));
    filled_bytes_ = end;
  }
  return Status::kOk;
}

Status ReadAheadSource::StartRead(uint32_t offset, MutableByteSpan target) {
  if (is_started_) return Status::kWrongState;
  if (!IsInBounds(offset, target.size(), size_bytes())) return Status::kOutOfRange;
  const uint32_t unit = device_.geometry().read_unit;
  const size_t length = target.size();
  offset_ = offset;
  target_ = target;
  filled_bytes_ = 0;
  ahead_begin_ = std::min<size_t>(length, (unit - offset % unit) % unit);
  ahead_end_ = length - (length - ahead_begin_) % unit;
  is_ahead_ = ahead_end_ > ahead_begin_ &&
              device_.TryBeginAhead(target.subspan(ahead_begin_, ahead_end_ - ahead_begin_));
  is_started_ = true;
  result_ = Status::kBusy;
  Drive();
  return Status::kOk;
}

Status ReadAheadSource::FinishRead() {
  if (!is_started_) return Status::kWrongState;
  Drive();
  const Status result = result_;
  if (result != Status::kBusy) AbandonRead();
  return result;
}

void ReadAheadSource::AbandonRead() {
  if (is_started_ && is_ahead_) device_.EndAhead();
  is_started_ = is_ahead_ = false;
}

}  // namespace ota::storage
