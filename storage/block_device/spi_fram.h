// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/flash_controller.h"
#include "storage/block_device/spi_bus.h"
#include "storage/block_device/spi_transfer.h"

namespace ota::storage {

/// A FRAM on SPI of the FM25V or the MB85RS kind. It has no pages, is never busy, and needs no
/// erase; an Erase fills with zeros. Its program unit is the row of 8 bytes that a power cut may
/// spoil. Commands: data sheets of the FM25V10 and the MB85RS2MT.
class SpiFram final : public FlashController {
 public:
  /// `bus` must outlive it. `size_bytes` is for parts that have no identification (FM25W256), and
  /// a power of two; 0: the part tells.
  explicit SpiFram(SpiBus& bus, uint32_t size_bytes = 0) : bus_(bus), told_bytes_(size_bytes) {}

  /// Wakes the part and finds its size. To be called before all else. kBusy: it is waking up; call
  /// again. kNotSupported: nothing answers, or something else.
  Status Start();

  const Geometry& geometry() const override { return geometry_; }
  uint32_t program_bytes_max() const override;
  Status StartProgram(uint32_t offset, ByteSpan data) override;
  Status StartErase(uint32_t offset) override;
  /// kMediumFailed: nobody answers, or what was written last was not taken.
  Status Poll() override;
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return std::nullopt; }

  /// Selects the part, which then gives the bytes from `offset` on, until the deselect.
  void BeginRead(uint32_t offset);

 private:
  void Command(uint8_t code);
  void SendAddress(uint8_t code, uint32_t offset);
  uint8_t ReadStatus();
  uint32_t ReadSize();

  SpiBus& bus_;
  uint32_t told_bytes_;
  Geometry geometry_{};
  uint32_t silence_count_ = 0;
};

using SpiFramTransfer = SpiTransfer<SpiFram>;

}  // namespace ota::storage
