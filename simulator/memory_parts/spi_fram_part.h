// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "simulator/memory_parts/overwrite_array.h"
#include "simulator/memory_parts/spi_part.h"

namespace ota::simulator {

struct SpiFramTraits {
  const char* name = "";
  uint32_t size_bytes = 0;
  std::vector<uint8_t> identification{};  ///< empty: the part has none
  bool has_sleep = true;
  uint32_t frequency_hz = 40'000'000;
  uint32_t wake_ns = 400'000;
  uint64_t endurance = 100'000'000'000'000;
  uint32_t active_ua = 3000;
  uint32_t voltage_mv = 3300;
};

extern const SpiFramTraits kFm25V10;    ///< 128 KB
extern const SpiFramTraits kFm25W256;   ///< 32 KB, without identification
extern const SpiFramTraits kMb85Rs64V;  ///< 8 KB
extern const SpiFramTraits kMb85Rs2Mt;  ///< 256 KB

/// A FRAM on SPI, command by command. A write needs write enable before, goes on over the end of
/// the memory to its start, and each byte is there after its last bit; nothing takes time but the
/// bus. Blocks that the status register protects are not written. In sleep it hears nothing; a
/// select wakes it. Reads wear as writes do.
class SpiFramPart final : public SpiPart {
 public:
  /// `clock` and `power` must outlive it. `size_bytes` other than 0: another size of its kind, with
  /// the identification to go with it.
  SpiFramPart(const SpiFramTraits& traits, SimulatedClock& clock, PowerSupply& power,
              const std::string& path = "", uint32_t size_bytes = 0);

  /// Power was off: it is awake, and nothing can be written.
  void Reset();

  const SpiFramTraits& traits() const { return traits_; }
  OverwriteArray& array() { return array_; }
  const OverwriteArray& array() const { return array_; }

  /// How often software did what is of no use with the real part: writes without write enable or
  /// into protected blocks, commands while it sleeps or wakes up, unknown commands.
  uint32_t violation_count() const { return violation_count_ + collision_count(); }

 private:
  static constexpr uint32_t kRowBytes = 8;  ///< what is read and restored as a whole

  void OnSelect() override;
  void OnDeselect() override;
  uint8_t Exchange(uint8_t in) override;
  void SpendTransfer(uint64_t ns) override;
  bool MayStart(uint8_t command);
  uint32_t AddressBytes() const { return traits_.size_bytes <= 65536 ? 2 : 3; }
  bool IsProtected(uint32_t address) const;
  uint8_t ReadNext();
  void TakeByte(uint8_t in);
  void WriteRow();

  SpiFramTraits traits_;
  OverwriteArray array_;
  uint8_t status_ = 0;  ///< bits that are kept without power
  bool is_write_enabled_ = false;
  bool is_asleep_ = false;
  uint64_t awake_at_ns_ = 0;
  uint32_t violation_count_ = 0;

  uint8_t command_ = 0;
  uint32_t count_ = 0;  ///< bytes of this command so far
  uint32_t address_ = 0;
  std::array<uint8_t, kRowBytes> row_{};  ///< read, or to be written
  uint32_t row_count_ = 0;                ///< bytes of it that are to be written, up to address_
};

}  // namespace ota::simulator
