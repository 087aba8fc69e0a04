// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/flash_controller.h"
#include "storage/block_device/i2c_bus.h"

namespace ota::storage {

/// How an I2C EEPROM or FRAM is addressed.
struct I2cMemoryLayout {
  uint32_t size_bytes = 0;
  uint32_t page_bytes = 0;    ///< of an EEPROM. FRAM has no pages: a power of two of choice
  uint8_t address_bytes = 2;  ///< after the device address: 1 up to 24LC16, else 2
  uint8_t device_address = 0x50;
  uint8_t block_shift = 0;  ///< where the further address bits stand in the device address; 2 on
                            ///< 24LC1025, 0 on others
};

/// An EEPROM of the 24LC kind, or an I2C FRAM, or several of one kind whose device addresses follow
/// one another. Nothing is erased before it is written; an Erase
/// fills with 0xFF. A page is the program unit, because a power cut may spoil all of the page that
/// is being written. While it writes, the part does not answer, which is how one finds out.
class I2cEeprom final : public FlashController {
 public:
  /// `bus` must outlive it.
  I2cEeprom(I2cBus& bus, const I2cMemoryLayout& layout);

  const Geometry& geometry() const override { return geometry_; }
  uint32_t program_bytes_max() const override { return layout_.page_bytes; }
  Status StartProgram(uint32_t offset, ByteSpan data) override;
  Status StartErase(uint32_t offset) override;

  /// A part that does not answer for kSilenceMax polls in a row is gone: kMediumFailed.
  Status Poll() override;
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return std::nullopt; }

  /// 18 ms at the shortest poll, one byte at 1 MHz; a write cycle lasts at most 10 ms.
  static constexpr uint32_t kSilenceMax = 2000;

 private:
  struct Address {
    uint8_t device;
    uint8_t bytes[2];
  };
  Address AddressOf(uint32_t offset) const;
  uint32_t block_bytes() const { return uint32_t{1} << (8 * layout_.address_bytes); }

  I2cBus& bus_;
  I2cMemoryLayout layout_;
  Geometry geometry_;
  uint8_t written_device_;  ///< the one that may be at work
  uint32_t silence_count_ = 0;
};

}  // namespace ota::storage
