// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/memory_block_device.h"

#include <cstring>

#include "base/result.h"

namespace ota::storage {

Status MemoryBlockDevice::VerifyRange(uint32_t offset, uint64_t length, uint32_t unit) const {
  if (!IsInBounds(offset, length, memory_.size())) return Status::kOutOfRange;
  if (offset % unit != 0 || length % unit != 0) return Status::kMisaligned;
  return Status::kOk;
}

Status MemoryBlockDevice::Read(uint32_t offset, MutableByteSpan target) {
  OTA_TRY(VerifyRange(offset, target.size(), geometry_.read_unit));
  std::memcpy(target.data(), memory_.data() + offset, target.size());
  return Status::kOk;
}

Status MemoryBlockDevice::Program(uint32_t offset, ByteSpan data) {
  OTA_TRY(VerifyRange(offset, data.size(), geometry_.program_unit));
  if (geometry_.needs_erase) {
    for (size_t i = 0; i < data.size(); ++i) {
      // Bits that differ from the erased value stay so until the next erase.
      const uint32_t gone = memory_[offset + i] ^ uint32_t { geometry_.erased_value };
      const uint32_t wanted = data[i] ^ uint32_t { geometry_.erased_value };
      if ((gone & ~wanted) != 0) return Status::kNotErased;
      if (!geometry_.can_reprogram && gone != 0) return Status::kNotErased;
    }
  }
  std::memcpy(memory_.data() + offset, data.data(), data.size());
  return Status::kOk;
}

Status MemoryBlockDevice::Erase(uint32_t offset, uint32_t length) {
  OTA_TRY(VerifyRange(offset, length, geometry_.erase_unit));
  std::memset(memory_.data() + offset, geometry_.erased_value, length);
  return Status::kOk;
}

}  // namespace ota::storage
