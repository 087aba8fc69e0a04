// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/flash_controller.h"
#include "storage/block_device/read_transfer.h"
#include "storage/block_device/spi_bus.h"

namespace ota::storage {

/// A serial NOR flash of the W25Q kind: 256-byte pages, 4 KB sectors, 24 address bits, or 32 in
/// parts above 16 MB. Command numbers: data sheet of the W25Q64JV, chapter 8.
///
/// The part does not tell when a program would need an erase: it keeps the bits at 0.
class SpiNorFlash final : public FlashController {
 public:
  /// `bus` must outlive it. `map` is the flash as the processor sees it, where it is memory mapped.
  explicit SpiNorFlash(SpiBus& bus, std::optional<ByteSpan> map = std::nullopt)
      : bus_(bus), map_(map) {}

  /// Wakes the part and reads its size from its identification. To be called before all else.
  /// kNotSupported: nothing answers, or something else. kBusy: it is finishing what a reset
  /// interrupted; call again.
  Status Start();

  const Geometry& geometry() const override { return geometry_; }
  uint32_t program_bytes_max() const override;
  Status StartProgram(uint32_t offset, ByteSpan data) override;
  Status StartErase(uint32_t offset) override;
  Status Poll() override;
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return map_; }

 private:
  friend class SpiNorTransfer;

  void Command(uint8_t code);
  void SendAddress(uint8_t code, uint8_t long_code, uint32_t offset);
  uint8_t ReadStatus();
  Status EnableWrite();

  SpiBus& bus_;
  std::optional<ByteSpan> map_;
  Geometry geometry_{};
};

/// Its reading by DMA: one transfer, whatever the length.
class SpiNorTransfer final : public ReadTransfer {
 public:
  /// `flash`, and `bus`, on which it is, must outlive it.
  SpiNorTransfer(SpiNorFlash& flash, SpiDmaBus& bus) : flash_(flash), bus_(bus) {}

  Status StartRead(uint32_t offset, MutableByteSpan target) override;
  Status PollRead() override;
  void AbandonRead() override;

 private:
  SpiNorFlash& flash_;
  SpiDmaBus& bus_;
};

}  // namespace ota::storage
