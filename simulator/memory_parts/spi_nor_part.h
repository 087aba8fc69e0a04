// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>

#include "simulator/memory_parts/nor_array.h"
#include "simulator/memory_parts/spi_part.h"

namespace ota::simulator {

struct SpiNorTraits {
  const char* name = "";
  std::array<uint8_t, 3> identification{};
  uint32_t frequency_hz = 40'000'000;
  uint32_t program_ns = 400'000;               ///< a page
  uint64_t erase_ns = 45'000'000;              ///< 4 KB
  uint64_t block_erase_ns = 150'000'000;       ///< 64 KB
  uint64_t megabyte_erase_ns = 2'500'000'000;  ///< of a whole chip's erase
  uint64_t suspend_ns = 20'000;  ///< until it is suspended, and from a resume to the next one
  uint64_t write_status_ns = 10'000'000;
  uint32_t program_ua = 20000;
  uint32_t read_ua = 15000;
  uint32_t voltage_mv = 3300;
  uint32_t endurance = 100000;
};

extern const SpiNorTraits kW25Q16;
extern const SpiNorTraits kW25Q32;
extern const SpiNorTraits kW25Q64;
extern const SpiNorTraits kW25Q128;
extern const SpiNorTraits kW25Q256;
extern const SpiNorTraits kGd25Q16;

/// A serial NOR flash of the W25Q kind, command by command. A program wraps inside its page, needs
/// write enable before, and starts when chip select goes high. While busy only the status is told;
/// while in power down only the wake-up is heard. Data come on four lines only once QE is set in
/// the second status register, which outlives a loss of power but not the process.
///
/// A program, or an erase but of the whole chip, can be suspended: then all can be read but what is
/// under way, and in a suspended erase other sectors can be programmed; nothing can be erased.
class SpiNorPart final : public SpiPart {
 public:
  /// `clock` and `power` must outlive it. `size_bytes` other than 0 makes it smaller or larger than
  /// its kind, with the identification to go with it.
  SpiNorPart(const SpiNorTraits& traits, SimulatedClock& clock, PowerSupply& power,
             const std::string& path = "", uint32_t size_bytes = 0);

  /// Power was off: nothing is under way any more.
  void Reset();

  NorArray& nor() { return nor_; }
  const NorArray& nor() const { return nor_; }

  /// How often software did what a program for the real part must not do: commands while busy,
  /// programs without write enable or over bits that would need an erase, reads of what is
  /// suspended or on four lines without QE, a suspend too early after a resume.
  uint32_t violation_count() const { return violation_count_ + collision_count(); }

 private:
  static constexpr uint32_t kPageBytes = 256;

  /// A program or an erase that takes its time.
  struct Work {
    uint32_t first = 0;
    uint32_t length = 0;
    bool is_program = false;
    bool can_be_suspended = false;
    uint64_t rest_ns = 0;  ///< while it is suspended
  };

  void OnSelect() override;
  void OnDeselect() override;
  uint8_t Exchange(uint8_t in) override;
  uint8_t ReadNext();
  bool IsBusy() const { return clock().now_ns() < busy_until_ns_; }
  bool MayStart(uint8_t command);
  bool IsSuspended(uint32_t address) const;
  uint8_t StatusRegister();
  uint8_t SecondStatusRegister() const;
  void WriteSecondStatus();
  void Suspend();
  void Resume();
  uint32_t AddressBytes() const;
  void Execute();
  void ProgramPage();
  void Erase(uint32_t unit_bytes, uint64_t ns);
  void Start(const Work& work, uint64_t ns);
  void Spend(uint64_t ns);
  void SpendTransfer(uint64_t ns) override;

  SpiNorTraits traits_;
  NorArray nor_;
  uint64_t busy_until_ns_ = 0;
  bool is_write_enabled_ = false;
  bool is_powered_down_ = false;
  bool has_quad_ = false;  ///< QE
  Work under_way_;         ///< meaningful while busy
  std::optional<Work> suspended_;
  uint64_t suspend_from_ns_ = 0;  ///< after a resume
  bool may_reset_ = false;        ///< the last command was the first half of a reset
  uint32_t violation_count_ = 0;

  uint8_t command_ = 0;
  uint32_t count_ = 0;  ///< bytes of this command so far
  uint32_t address_ = 0;
  std::array<uint8_t, kPageBytes> page_{};
  uint32_t page_count_ = 0;
};

}  // namespace ota::simulator
