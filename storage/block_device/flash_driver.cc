// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/flash_driver.h"

#include <algorithm>

namespace ota::storage {

Status CheckRange(const Geometry& geometry, uint32_t unit, uint32_t offset, size_t length) {
  if (!IsInBounds(offset, length, geometry.size_bytes)) return Status::kOutOfRange;
  return offset % unit == 0 && length % unit == 0 ? Status::kOk : Status::kMisaligned;
}

/// Whether an operation may start: its range is right, and nothing is left of earlier ones.
Status FlashDriver::Accept(uint32_t Geometry::*unit, uint32_t offset, size_t length) {
  const Geometry& geometry = controller_.geometry();
  OTA_TRY(CheckRange(geometry, geometry.*unit, offset, length));
  return Advance();
}

Status FlashDriver::Read(uint32_t offset, MutableByteSpan target) {
  OTA_TRY(Accept(&Geometry::read_unit, offset, target.size()));
  return controller_.Read(offset, target);
}

Status FlashDriver::Program(uint32_t offset, ByteSpan data) {
  if (data.size() > queue_.size()) return Status::kInvalidArgument;
  OTA_TRY(Accept(&Geometry::program_unit, offset, data.size()));
  if (data.empty()) return Status::kOk;
  std::copy(data.begin(), data.end(), queue_.begin());
  offset_ = offset;
  program_at_ = 0;
  program_end_ = static_cast<uint32_t>(data.size());
  const Status status = StartNext();
  if (!IsOk(status)) program_end_ = 0;
  return status;
}

Status FlashDriver::Erase(uint32_t offset, uint32_t length) {
  OTA_TRY(Accept(&Geometry::erase_unit, offset, length));
  if (length == 0) return Status::kOk;
  offset_ = offset;
  erase_bytes_ = length;
  const Status status = StartNext();
  if (!IsOk(status)) erase_bytes_ = 0;
  return status;
}

Status FlashDriver::Sync() {
  OTA_TRY(Advance());
  if (IsOk(failure_)) {  // else there is nothing to be flushed, and perhaps nobody to ask
    const Status flushed = controller_.Flush();
    if (flushed == Status::kBusy) return flushed;
    failure_ = flushed;
  }
  const Status failure = failure_;
  failure_ = Status::kOk;
  return failure;
}

bool FlashDriver::is_busy() const {
  // Looking drives the queue on, so that a loop on is_busy() ends.
  return const_cast<FlashDriver*>(this)->Advance() == Status::kBusy;
}

/// Goes on with what was accepted; kOk once nothing is left. A failure ends it and is kept.
Status FlashDriver::Advance() {
  for (;;) {
    const Status polled = controller_.Poll();
    if (polled == Status::kBusy) return polled;
    if (!IsOk(polled)) {
      failure_ = polled;
      program_end_ = erase_bytes_ = 0;
    }
    if (program_end_ == 0 && erase_bytes_ == 0) return Status::kOk;
    const Status started = StartNext();
    if (IsOk(started)) continue;
    failure_ = started;
    program_end_ = erase_bytes_ = 0;
  }
}

Status FlashDriver::StartNext() {
  if (erase_bytes_ != 0) {
    OTA_TRY(controller_.StartErase(offset_));
    const uint32_t unit = geometry().erase_unit;
    offset_ += unit;
    erase_bytes_ -= unit;
    return Status::kOk;
  }
  const uint32_t piece_max = controller_.program_bytes_max();
  const uint32_t piece = std::min(program_end_ - program_at_, piece_max - offset_ % piece_max);
  OTA_TRY(controller_.StartProgram(offset_, {queue_.data() + program_at_, piece}));
  offset_ += piece;
  program_at_ += piece;
  if (program_at_ == program_end_) program_end_ = 0;
  return Status::kOk;
}

}  // namespace ota::storage
