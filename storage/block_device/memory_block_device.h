// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/block_device.h"

namespace ota::storage {

/// A block device over the caller's memory, which must outlive it: for images that are prepared or
/// read on a host, and for stores in battery-backed RAM. It keeps to its geometry: units, bounds,
/// and on one that needs erases the rule that Program only takes bits away from the erased value.
/// Never busy.
class MemoryBlockDevice final : public BlockDevice {
 public:
  /// `memory` has `geometry.size_bytes` bytes. The units must not be 0.
  MemoryBlockDevice(MutableByteSpan memory, const Geometry& geometry)
      : memory_(memory), geometry_(geometry) {}

  const Geometry& geometry() const override { return geometry_; }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  Status Program(uint32_t offset, ByteSpan data) override;
  Status Erase(uint32_t offset, uint32_t length) override;
  Status Sync() override { return Status::kOk; }
  std::optional<ByteSpan> Map() const override { return memory_; }

 private:
  Status VerifyRange(uint32_t offset, uint64_t length, uint32_t unit) const;

  MutableByteSpan memory_;
  Geometry geometry_;
};

}  // namespace ota::storage
