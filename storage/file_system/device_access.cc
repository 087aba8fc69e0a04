// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/device_access.h"

#include <algorithm>
#include <cstring>

namespace ota::storage {

Status DeviceAccess::ReadWhole(uint32_t offset, MutableByteSpan target) {
  return WaitFor([&] { return device_.Read(offset, target); });
}

Status DeviceAccess::ProgramWhole(uint32_t offset, ByteSpan bytes) {
  return WaitFor([&] { return device_.Program(offset, bytes); });
}

Status DeviceAccess::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), geometry().size_bytes)) return Status::kCorrupted;
  const uint32_t unit = geometry().read_unit;
  uint8_t widened[kWidenedUnitMax];
  while (!target.empty()) {
    const uint32_t skip = offset % unit;
    if (skip == 0 && target.size() >= unit) {
      const size_t whole = target.size() - target.size() % unit;
      OTA_TRY(ReadWhole(offset, target.first(whole)));
      target = target.subspan(whole);
      offset += static_cast<uint32_t>(whole);
      continue;
    }
    if (unit > kWidenedUnitMax) return Status::kNotSupported;
    OTA_TRY(ReadWhole(offset - skip, MutableByteSpan(widened, unit)));
    const size_t part = std::min<size_t>(target.size(), unit - skip);
    std::memcpy(target.data(), widened + skip, part);
    target = target.subspan(part);
    offset += static_cast<uint32_t>(part);
  }
  return Status::kOk;
}

Status DeviceAccess::Program(uint32_t offset, ByteSpan bytes) {
  if (!IsInBounds(offset, bytes.size(), geometry().size_bytes)) return Status::kCorrupted;
  const uint32_t unit = geometry().program_unit;
  uint8_t widened[kWidenedUnitMax];
  while (!bytes.empty()) {
    const uint32_t skip = offset % unit;
    if (skip == 0 && bytes.size() >= unit) {
      const size_t whole = bytes.size() - bytes.size() % unit;
      OTA_TRY(ProgramWhole(offset, bytes.first(whole)));
      bytes = bytes.subspan(whole);
      offset += static_cast<uint32_t>(whole);
      continue;
    }
    if (unit > kWidenedUnitMax) return Status::kNotSupported;
    OTA_TRY(Read(offset - skip, MutableByteSpan(widened, unit)));
    const size_t part = std::min<size_t>(bytes.size(), unit - skip);
    std::memcpy(widened + skip, bytes.data(), part);
    OTA_TRY(ProgramWhole(offset - skip, ByteSpan(widened, unit)));
    bytes = bytes.subspan(part);
    offset += static_cast<uint32_t>(part);
  }
  return Status::kOk;
}

Status DeviceAccess::Erase(uint32_t offset, uint32_t length) {
  if (!IsInBounds(offset, length, geometry().size_bytes)) return Status::kCorrupted;
  return WaitFor([&] { return device_.Erase(offset, length); });
}

Status DeviceAccess::Sync() {
  return WaitFor([&] { return device_.Sync(); });
}

}  // namespace ota::storage
