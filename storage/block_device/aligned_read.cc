// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/aligned_read.h"

#include <algorithm>

namespace ota::storage {
namespace {

/// Reads the part of `target` that lies in the read unit around `offset`; returns its length.
Result<uint32_t> ReadPart(BlockDevice& device, uint32_t offset, MutableByteSpan target) {
  const uint32_t unit = device.geometry().read_unit;
  if (unit > kReadUnitMax) return Status::kNotSupported;
  uint8_t buffer[kReadUnitMax];
  const uint32_t skipped = offset % unit;
  OTA_TRY(device.Read(offset - skipped, MutableByteSpan(buffer, unit)));
  const auto length = static_cast<uint32_t>(std::min<size_t>(target.size(), unit - skipped));
  std::copy_n(buffer + skipped, length, target.begin());
  return length;
}

}  // namespace

Status ReadUnaligned(BlockDevice& device, uint32_t offset, MutableByteSpan target) {
  const uint32_t unit = device.geometry().read_unit;
  if (!IsInBounds(offset, target.size(), device.geometry().size_bytes)) return Status::kOutOfRange;
  if (offset % unit != 0 && !target.empty()) {
    OTA_TRY(const uint32_t length, ReadPart(device, offset, target));
    offset += length;
    target = target.subspan(length);
  }
  const size_t whole = target.size() - target.size() % unit;
  if (whole != 0) OTA_TRY(device.Read(offset, target.first(whole)));
  if (whole == target.size()) return Status::kOk;
  OTA_TRY(ReadPart(device, offset + static_cast<uint32_t>(whole), target.subspan(whole)));
  return Status::kOk;
}

}  // namespace ota::storage
