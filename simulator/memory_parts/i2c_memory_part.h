// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "simulator/memory_parts/overwrite_array.h"
#include "simulator/memory_parts/simulated_clock.h"
#include "storage/block_device/i2c_bus.h"
#include "storage/block_device/i2c_eeprom.h"

namespace ota::simulator {

/// What an I2C EEPROM or FRAM is like.
struct I2cMemoryTraits {
  const char* name = "";
  storage::I2cMemoryLayout layout;
  bool is_fram = false;     ///< no pages, no write cycle; reads wear as well
  uint32_t chip_bytes = 0;  ///< of several in a row on one bus; 0: it is one
  uint32_t frequency_hz = 400'000;
  uint32_t write_ns = 5'000'000;
  uint64_t endurance = 1'000'000;
  uint32_t read_ua = 1000;
  uint32_t write_ua = 3000;
  uint32_t voltage_mv = 3300;
};

extern const I2cMemoryTraits k24Lc16;    ///< 2 KB, 16-byte pages, one address byte
extern const I2cMemoryTraits k24Lc256;   ///< 32 KB, 64-byte pages
extern const I2cMemoryTraits k24Lc512;   ///< 64 KB, 128-byte pages
extern const I2cMemoryTraits k24Lc1025;  ///< 128 KB, 128-byte pages, two blocks
extern const I2cMemoryTraits kAt24Cm02;  ///< 256 KB, 256-byte pages, 10 ms
/// Two AT24CM02, which fill all addresses that a bus has for EEPROMs: 512 KB, the most there can
/// be.
extern const I2cMemoryTraits kTwoAt24Cm02;
extern const I2cMemoryTraits kFm24V10;  ///< 128 KB FRAM

/// An EEPROM or FRAM on I2C, or several in a row. A write wraps inside its page, starts with the
/// STOP and lasts a write cycle in which the chip does not acknowledge.
class I2cMemoryPart final : public storage::I2cBus {
 public:
  /// `clock` and `power` must outlive it. `size_bytes` other than 0: another size.
  I2cMemoryPart(const I2cMemoryTraits& traits, SimulatedClock& clock, PowerSupply& power,
                const std::string& path = "", uint32_t size_bytes = 0);

  bool Write(uint8_t address, ByteSpan head, ByteSpan data) override;
  bool Read(uint8_t address, ByteSpan head, MutableByteSpan data) override;

  const storage::I2cMemoryLayout& layout() const { return traits_.layout; }
  OverwriteArray& array() { return array_; }
  const OverwriteArray& array() const { return array_; }

 private:
  static constexpr size_t kChipCountMax = 8;
  static constexpr uint32_t kRowBytes = 8;  // of a FRAM: what is read and restored as a whole

  bool Acknowledge(uint8_t address);
  uint8_t BlockMask() const;
  size_t ChipOf(uint8_t address) const;
  uint32_t OffsetOf(uint8_t address, ByteSpan head) const;
  void Clock(size_t byte_count);
  void WriteRows(uint32_t offset, ByteSpan data);
  void WritePage(uint8_t address, uint32_t offset, ByteSpan data);

  I2cMemoryTraits traits_;
  SimulatedClock& clock_;
  OverwriteArray array_;
  std::array<uint64_t, kChipCountMax> busy_until_ns_{};  ///< of each chip
};

}  // namespace ota::simulator
