// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/flash_controller.h"
#include "storage/block_device/spi_bus.h"
#include "storage/block_device/spi_transfer.h"

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

  // What SuspendingDevice, QuadSpiNorFlash and transfers need. To be called while idle, but
  // Suspend.

  /// Selects the part, which then gives the bytes from `offset` on, until the deselect.
  void BeginRead(uint32_t offset);
  /// The same on four lines, once they are enabled.
  void BeginQuadRead(uint32_t offset);

  /// Lets the part give bytes on four lines; it keeps that over a loss of power. kOk: it does so.
  /// kBusy: it was told to, and is at it. kMediumFailed: it cannot be written.
  Status EnableQuad();

  /// Interrupts a program or an erase, so that bytes outside of it can be read; Resume is to
  /// follow, which lets it go on. Takes a while, 20 µs if it was not interrupted before, else as
  /// much again for what is under way to go on. kWrongState: nothing is under way any more. kBusy:
  /// it cannot be interrupted.
  Status Suspend();
  void Resume();
  /// Whether any byte of the range lies in what was programmed or erased last.
  bool IsInWork(uint32_t offset, size_t length) const {
    return offset < work_end_ && offset + length > work_begin_;
  }

 private:
  void Command(uint8_t code);
  void SendAddress(uint8_t code, uint8_t long_code, uint32_t offset);
  uint8_t ReadRegister(uint8_t code);
  uint8_t ReadStatus();
  Status EnableWrite();

  SpiBus& bus_;
  std::optional<ByteSpan> map_;
  Geometry geometry_{};
  uint32_t work_begin_ = 0;  ///< of what was programmed or erased last
  uint32_t work_end_ = 0;
  bool was_resumed_ = false;  ///< the same
};

using SpiNorTransfer = SpiTransfer<SpiNorFlash>;

}  // namespace ota::storage
