// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/partition.h"

namespace ota::storage {

Partition::Partition(BlockDevice& device, uint32_t offset, uint32_t size_bytes)
    : device_(device), offset_(offset), geometry_(device.geometry()) {
  const uint32_t unit = geometry_.erase_unit;
  const bool is_sound = IsInBounds(offset, size_bytes, geometry_.size_bytes) &&
                        offset % unit == 0 && size_bytes % unit == 0;
  geometry_.size_bytes = is_sound ? size_bytes : 0;
}

Status Partition::VerifyRange(uint32_t offset, size_t length) const {
  return IsInBounds(offset, length, geometry_.size_bytes) ? Status::kOk : Status::kOutOfRange;
}

Status Partition::Read(uint32_t offset, MutableByteSpan target) {
  OTA_TRY(VerifyRange(offset, target.size()));
  return device_.Read(offset_ + offset, target);
}

Status Partition::Program(uint32_t offset, ByteSpan data) {
  OTA_TRY(VerifyRange(offset, data.size()));
  return device_.Program(offset_ + offset, data);
}

Status Partition::Erase(uint32_t offset, uint32_t length) {
  OTA_TRY(VerifyRange(offset, length));
  return device_.Erase(offset_ + offset, length);
}

std::optional<ByteSpan> Partition::Map() const {
  const std::optional<ByteSpan> whole = device_.Map();
  if (!whole) return std::nullopt;
  return whole->subspan(offset_).first(geometry_.size_bytes);
}

}  // namespace ota::storage
