// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/aligned_read.h"

#include <algorithm>
#include <cstring>

namespace ota::storage {

Status ReadUnaligned(BlockDevice& device, uint32_t offset, MutableByteSpan target) {
  const Geometry& geometry = device.geometry();
  const uint32_t unit = geometry.read_unit;
  if (!IsInBounds(offset, target.size(), geometry.size_bytes)) return Status::kOutOfRange;
  if (unit > kReadUnitMax) return Status::kNotSupported;
  uint8_t* at = target.data();
  for (auto rest = static_cast<uint32_t>(target.size()); rest != 0;) {
    const uint32_t skipped = offset % unit;
    uint32_t length = rest - rest % unit;
    if (skipped == 0 && length != 0) {
      OTA_TRY(device.Read(offset, {at, length}));
    } else {
      uint8_t buffer[kReadUnitMax];
      OTA_TRY(device.Read(offset - skipped, {buffer, unit}));
      length = std::min(rest, unit - skipped);
      std::memcpy(at, buffer + skipped, length);
    }
    offset += length;
    at += length;
    rest -= length;
  }
  return Status::kOk;
}

}  // namespace ota::storage
