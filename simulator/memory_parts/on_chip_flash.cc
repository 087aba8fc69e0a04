// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/on_chip_flash.h"

#include "base/units.h"

namespace ota::simulator {

const OnChipFlashTraits kStm32H743Flash = {
    .name = "STM32H743",
    .nor = {MiB(2), KiB(128), 32, 1, true, 10000},
    .bank_count = 2,
    .program_bytes_max = 32,
    .program_ns = 200'000,
    .erase_ns = 1'500'000'000,
    .read_ps_per_byte = 520,
    .program_ua = 12000,
    .erase_ua = 12000,
    .read_ua = 6000,
};

const OnChipFlashTraits kSamd51Flash = {
    .name = "SAMD51",
    .nor = {KiB(512), KiB(8), 16, 1, true, 10000},
    .bank_count = 2,
    .program_bytes_max = 512,
    .program_ns = 1'500'000,
    .erase_ns = 100'000'000,
    .read_ps_per_byte = 2080,
    .program_ua = 10000,
    .erase_ua = 10000,
    .read_ua = 4000,
};

const OnChipFlashTraits kNrf52840Flash = {
    .name = "nRF52840",
    .nor = {MiB(1), KiB(4), 4, 2, false, 10000},
    .program_bytes_max = 4,
    .program_ns = 41'000,
    .erase_ns = 85'000'000,
    .read_ps_per_byte = 3900,
    .program_ua = 7000,
    .erase_ua = 7000,
    .read_ua = 3000,
};

const OnChipFlashTraits kTeensy40Flash = {
    .name = "Teensy 4.0",
    .nor = {MiB(2), KiB(4), 1, 0, false, 100000},
    .program_bytes_max = 256,
    .program_ns = 450'000,
    .erase_ns = 45'000'000,
    .read_ps_per_byte = 15000,
    .program_ua = 20000,
    .erase_ua = 20000,
    .read_ua = 15000,
};

namespace {

OnChipFlashTraits Resize(OnChipFlashTraits traits, uint32_t size_bytes) {
  if (size_bytes != 0) traits.nor.size_bytes = size_bytes;
  return traits;
}

}  // namespace

OnChipFlash::OnChipFlash(const OnChipFlashTraits& traits, SimulatedClock& clock, PowerSupply& power,
                         const std::string& path, uint32_t size_bytes)
    : traits_(Resize(traits, size_bytes)),
      geometry_{.size_bytes = traits_.nor.size_bytes,
                .read_unit = 1,
                .program_unit = traits_.nor.program_unit,
                .erase_unit = traits_.nor.erase_unit,
                .erased_value = 0xFF,
                .can_reprogram = traits_.nor.programs_max == 0,
                .needs_erase = true},
      clock_(clock),
      nor_(traits_.nor, power, path) {}

void OnChipFlash::Spend(uint32_t offset, uint64_t ns, uint32_t current_ua) {
  busy_bank_ = BankOf(offset);
  busy_until_ns_ = clock_.now_ns() + ns;
  nor_.figures().busy_ns += ns;
  nor_.figures().energy_nj += ComputeEnergyNj(current_ua, traits_.voltage_mv, ns);
}

Status OnChipFlash::StartProgram(uint32_t offset, ByteSpan data) {
  if (IsBusy()) return Status::kBusy;
  const uint32_t go = traits_.program_bytes_max;
  if (!IsInBounds(offset, data.size(), geometry_.size_bytes)) return Status::kOutOfRange;
  if (offset % geometry_.program_unit != 0 || data.size() % geometry_.program_unit != 0 ||
      data.empty() || offset % go + data.size() > go) {
    return Status::kMisaligned;
  }
  OTA_TRY(nor_.Program(offset, data));
  Spend(offset, traits_.program_ns, traits_.program_ua);
  return Status::kOk;
}

Status OnChipFlash::StartErase(uint32_t offset) {
  if (IsBusy()) return Status::kBusy;
  if (!IsInBounds(offset, geometry_.erase_unit, geometry_.size_bytes)) return Status::kOutOfRange;
  if (offset % geometry_.erase_unit != 0) return Status::kMisaligned;
  OTA_TRY(nor_.Erase(offset, geometry_.erase_unit));
  Spend(offset, traits_.erase_ns, traits_.erase_ua);
  return Status::kOk;
}

Status OnChipFlash::Poll() {
  if (!IsBusy()) return Status::kOk;
  if (clock_.skips_waits()) clock_.AdvanceTo(busy_until_ns_);
  return Status::kBusy;
}

Status OnChipFlash::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), geometry_.size_bytes)) return Status::kOutOfRange;
  if (target.empty()) return Status::kOk;
  const uint32_t last = offset + static_cast<uint32_t>(target.size()) - 1;
  if (IsBusy() && BankOf(offset) <= busy_bank_ && busy_bank_ <= BankOf(last)) return Status::kBusy;
  const uint64_t ns = target.size() * traits_.read_ps_per_byte / 1000;
  clock_.AdvanceNs(ns);
  nor_.figures().transfer_ns += ns;
  nor_.figures().energy_nj += ComputeEnergyNj(traits_.read_ua, traits_.voltage_mv, ns);
  return nor_.Read(offset, target);
}

}  // namespace ota::simulator
