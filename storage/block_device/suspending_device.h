// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/spi_nor.h"

namespace ota::storage {

/// A serial NOR flash that can be read while it programs or erases: what is under way is suspended
/// for the read. It goes on for 20 µs at least between two reads, so that it comes to its end.
class SuspendingDevice final : public BlockDevice {
 public:
  /// `device`, the driver, and `flash`, its controller, must outlive it.
  SuspendingDevice(BlockDevice& device, SpiNorFlash& flash) : device_(device), flash_(flash) {}

  const Geometry& geometry() const override { return device_.geometry(); }
  /// kBusy: the range touches what is being programmed or erased just now. Otherwise as
  /// BlockDevice::Read; what waits to be erased reads as what it still holds.
  Status Read(uint32_t offset, MutableByteSpan target) override;
  Status Program(uint32_t offset, ByteSpan data) override { return device_.Program(offset, data); }
  Status Erase(uint32_t offset, uint32_t length) override { return device_.Erase(offset, length); }
  Status Sync() override { return device_.Sync(); }
  bool is_busy() const override { return device_.is_busy(); }
  std::optional<ByteSpan> Map() const override { return device_.Map(); }

 private:
  BlockDevice& device_;
  SpiNorFlash& flash_;
};

}  // namespace ota::storage
