// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/block_device.h"

namespace ota::storage {

/// A named range of a block device that is a block device itself. Offsets count from its start.
class Partition final : public BlockDevice {
 public:
  /// `device` must outlive it. `offset` and `size_bytes` must be multiples of its erase unit and
  /// lie within it; otherwise the partition is empty (geometry().size_bytes is 0).
  Partition(BlockDevice& device, uint32_t offset, uint32_t size_bytes);

  const Geometry& geometry() const override { return geometry_; }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  Status Program(uint32_t offset, ByteSpan data) override;
  Status Erase(uint32_t offset, uint32_t length) override;
  Status Sync() override { return device_.Sync(); }
  bool is_busy() const override { return device_.is_busy(); }
  std::optional<ByteSpan> Map() const override;

 private:
  Status VerifyRange(uint32_t offset, size_t length) const;

  BlockDevice& device_;
  uint32_t offset_;
  Geometry geometry_;
};

}  // namespace ota::storage
