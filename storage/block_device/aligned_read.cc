// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/aligned_read.h"

#include <algorithm>

namespace ota::storage {

Status ReadUnaligned(BlockDevice& device, uint32_t offset, MutableByteSpan target) {
  const Geometry& geometry = device.geometry();
  const uint32_t unit = geometry.read_unit;
  if (!IsInBounds(offset, target.size(), geometry.size_bytes)) return Status::kOutOfRange;
  if (unit > kReadUnitMax) return Status::kNotSupported;
  while (!target.empty()) {
    const uint32_t skipped = offset % unit;
    auto length = static_cast<uint32_t>(target.size() - target.size() % unit);
    if (skipped == 0 && length != 0) {
      OTA_TRY(device.Read(offset, target.first(length)));
    } else {
      uint8_t buffer[kReadUnitMax];
      OTA_TRY(device.Read(offset - skipped, MutableByteSpan(buffer, unit)));
      length = static_cast<uint32_t>(std::min<size_t>(target.size(), unit - skipped));
      std::copy_n(buffer + skipped, length, target.begin());
    }
    offset += length;
    target = target.subspan(length);
  }
  return Status::kOk;
}

}  // namespace ota::storage
