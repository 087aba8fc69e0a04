// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "simulator/memory_parts/nor_array.h"
#include "simulator/memory_parts/simulated_clock.h"
#include "storage/block_device/flash_controller.h"

namespace ota::simulator {

/// What an on-chip flash is like: its cells, its controller and its times.
struct OnChipFlashTraits {
  const char* name = "";
  NorTraits nor;
  uint32_t bank_count = 1;         ///< one may be read while another one is at work
  uint32_t program_bytes_max = 0;  ///< in one go
  uint32_t program_ns = 0;         ///< of one go
  uint64_t erase_ns = 0;           ///< of one unit
  uint32_t read_ps_per_byte = 0;
  uint32_t program_ua = 0;
  uint32_t erase_ua = 0;
  uint32_t read_ua = 0;
  uint32_t voltage_mv = 3300;
};

extern const OnChipFlashTraits kStm32H743Flash;  ///< 2 MB, 128 KB sectors, 32-byte words once only
extern const OnChipFlashTraits kSamd51Flash;     ///< 512 KB, 8 KB blocks, 16-byte quad words once
extern const OnChipFlashTraits kNrf52840Flash;   ///< 1 MB, 4 KB pages, words at most twice
extern const OnChipFlashTraits kTeensy40Flash;   ///< 2 MB W25Q16 behind FlexSPI, memory mapped

/// A microcontroller's flash with its controller. It refuses what the real one refuses: a program
/// that would need an erase, a second program of a word with check bits, anything while busy but a
/// read of another bank.
class OnChipFlash final : public storage::FlashController {
 public:
  /// `clock` and `power` must outlive it. `size_bytes` other than 0 takes only a part of the flash.
  OnChipFlash(const OnChipFlashTraits& traits, SimulatedClock& clock, PowerSupply& power,
              const std::string& path = "", uint32_t size_bytes = 0);

  const storage::Geometry& geometry() const override { return geometry_; }
  uint32_t program_bytes_max() const override { return traits_.program_bytes_max; }
  Status StartProgram(uint32_t offset, ByteSpan data) override;
  Status StartErase(uint32_t offset) override;
  Status Poll() override;
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return nor_.bytes(); }

  NorArray& nor() { return nor_; }
  const NorArray& nor() const { return nor_; }

 private:
  bool IsBusy() const { return clock_.now_ns() < busy_until_ns_; }
  uint32_t BankOf(uint32_t offset) const {
    return offset / (geometry_.size_bytes / traits_.bank_count);
  }
  void Spend(uint32_t offset, uint64_t ns, uint32_t current_ua);

  OnChipFlashTraits traits_;
  storage::Geometry geometry_;
  SimulatedClock& clock_;
  NorArray nor_;
  uint64_t busy_until_ns_ = 0;
  uint32_t busy_bank_ = 0;
};

}  // namespace ota::simulator
