// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/spi_nor.h"

namespace ota::storage {

/// A serial NOR flash whose bytes come on four lines; all else is as of SpiNorFlash.
class QuadSpiNorFlash final : public FlashController {
 public:
  /// `bus` must outlive it. `map` as of SpiNorFlash.
  explicit QuadSpiNorFlash(QuadSpiBus& bus, std::optional<ByteSpan> map = std::nullopt)
      : bus_(bus), flash_(bus, map) {}

  /// As SpiNorFlash::Start, and enables the four lines, which the part then keeps enabled.
  /// kNotSupported: also that it does not enable them. kMediumFailed: it cannot be written.
  Status Start();

  const Geometry& geometry() const override { return flash_.geometry(); }
  uint32_t program_bytes_max() const override { return flash_.program_bytes_max(); }
  Status StartProgram(uint32_t offset, ByteSpan data) override {
    return flash_.StartProgram(offset, data);
  }
  Status StartErase(uint32_t offset) override { return flash_.StartErase(offset); }
  Status Poll() override { return flash_.Poll(); }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return flash_.Map(); }

  /// Selects the part, which then gives the bytes from `offset` on, until the deselect.
  void BeginRead(uint32_t offset);

 private:
  QuadSpiBus& bus_;
  SpiNorFlash flash_;
  bool has_asked_ = false;
};

using QuadSpiNorTransfer = SpiTransfer<QuadSpiNorFlash>;

}  // namespace ota::storage
