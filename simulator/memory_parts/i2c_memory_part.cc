// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/i2c_memory_part.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/units.h"

namespace ota::simulator {

const I2cMemoryTraits k24Lc16 = {.name = "24LC16", .layout = {KiB(2), 16, 1, 0x50, 0}};
const I2cMemoryTraits k24Lc256 = {.name = "24LC256", .layout = {KiB(32), 64, 2, 0x50, 0}};
const I2cMemoryTraits k24Lc512 = {.name = "24LC512", .layout = {KiB(64), 128, 2, 0x50, 0}};
const I2cMemoryTraits k24Lc1025 = {.name = "24LC1025", .layout = {KiB(128), 128, 2, 0x50, 2}};
const I2cMemoryTraits kAt24Cm02 = {.name = "AT24CM02",
                                   .layout = {KiB(256), 256, 2, 0x50, 0},
                                   .frequency_hz = 1'000'000,
                                   .write_ns = 10'000'000};
const I2cMemoryTraits kTwoAt24Cm02 = {.name = "two AT24CM02",
                                      .layout = {KiB(512), 256, 2, 0x50, 0},
                                      .chip_bytes = KiB(256),
                                      .frequency_hz = 1'000'000,
                                      .write_ns = 10'000'000};
const I2cMemoryTraits kFm24V10 = {.name = "FM24V10",
                                  .layout = {KiB(128), 64, 2, 0x50, 0},
                                  .is_fram = true,
                                  .frequency_hz = 1'000'000,
                                  .write_ns = 0,
                                  .endurance = 100'000'000'000'000,
                                  .read_ua = 400,
                                  .write_ua = 400};

namespace {

constexpr uint32_t kClocksPerByte = 9;

I2cMemoryTraits Resize(I2cMemoryTraits traits, uint32_t size_bytes) {
  if (size_bytes != 0) traits.layout.size_bytes = size_bytes;
  return traits;
}

OverwriteTraits CellsOf(const I2cMemoryTraits& traits, uint32_t row_bytes) {
  return OverwriteTraits{.size_bytes = traits.layout.size_bytes,
                         .unit_bytes = traits.is_fram ? row_bytes : traits.layout.page_bytes,
                         .erased_value = 0xFF,
                         .tears_whole_unit = true,
                         .may_be_unreadable = false,
                         .reads_wear = traits.is_fram,
                         .endurance = traits.endurance};
}

}  // namespace

I2cMemoryPart::I2cMemoryPart(const I2cMemoryTraits& traits, SimulatedClock& clock,
                             PowerSupply& power, const std::string& path, uint32_t size_bytes)
    : traits_(Resize(traits, size_bytes)),
      clock_(clock),
      array_(CellsOf(traits_, kRowBytes), power, path) {}

void I2cMemoryPart::Clock(size_t byte_count) {
  const uint64_t ns = byte_count * kClocksPerByte * 1'000'000'000 / traits_.frequency_hz;
  clock_.AdvanceNs(ns);
  array_.figures().transfer_ns += ns;
  array_.figures().energy_nj += ComputeEnergyNj(traits_.read_ua, traits_.voltage_mv, ns);
}

/// The bits of a device address that are the upper bits of an offset.
uint8_t I2cMemoryPart::BlockMask() const {
  const uint32_t last = (traits_.layout.size_bytes - 1) >> (8 * traits_.layout.address_bytes);
  return static_cast<uint8_t>((std::bit_ceil(last + 1) - 1) << traits_.layout.block_shift);
}

size_t I2cMemoryPart::ChipOf(uint8_t address) const {
  if (traits_.chip_bytes == 0) return 0;
  const uint32_t block = (address & BlockMask()) >> traits_.layout.block_shift;
  return (block << (8 * traits_.layout.address_bytes)) / traits_.chip_bytes;
}

bool I2cMemoryPart::Acknowledge(uint8_t address) {
  Clock(1);
  const bool is_meant = (address & ~BlockMask()) == traits_.layout.device_address;
  if (!array_.power().is_on() || !is_meant) return false;
  const uint64_t busy_until_ns = busy_until_ns_[ChipOf(address)];
  if (clock_.now_ns() >= busy_until_ns) return true;
  if (clock_.skips_waits()) clock_.AdvanceTo(busy_until_ns);
  return false;
}

uint32_t I2cMemoryPart::OffsetOf(uint8_t address, ByteSpan head) const {
  uint32_t offset =
      static_cast<uint32_t>(address & ~traits_.layout.device_address) >> traits_.layout.block_shift;
  for (const uint8_t byte : head) offset = (offset << 8) | byte;
  return offset % traits_.layout.size_bytes;
}

bool I2cMemoryPart::Write(uint8_t address, ByteSpan head, ByteSpan data) {
  if (!Acknowledge(address)) return false;
  Clock(head.size() + data.size());
  if (head.size() != traits_.layout.address_bytes || data.empty()) return true;
  const uint32_t offset = OffsetOf(address, head);
  if (traits_.is_fram) {
    WriteRows(offset, data);
  } else {
    WritePage(address, offset, data);
  }
  return true;
}

/// A byte is there after its last bit; a cut spoils the row that it is in.
void I2cMemoryPart::WriteRows(uint32_t offset, ByteSpan data) {
  while (!data.empty()) {
    const auto piece =
        static_cast<uint32_t>(std::min<size_t>(data.size(), kRowBytes - offset % kRowBytes));
    (void)array_.Write(offset, data.first(piece));  // the part does not tell
    data = data.subspan(piece);
    offset = (offset + piece) % traits_.layout.size_bytes;
  }
}

void I2cMemoryPart::WritePage(uint8_t address, uint32_t offset, ByteSpan data) {
  const uint32_t page_bytes = traits_.layout.page_bytes;
  const uint32_t page_first = offset / page_bytes * page_bytes;
  std::vector<uint8_t> page(array_.bytes().begin() + page_first,
                            array_.bytes().begin() + page_first + page_bytes);
  for (size_t i = 0; i < data.size(); ++i) page[(offset + i) % page_bytes] = data[i];
  (void)array_.Write(page_first, page);  // the part does not tell
  busy_until_ns_[ChipOf(address)] = clock_.now_ns() + traits_.write_ns;
  array_.figures().busy_ns += traits_.write_ns;
  array_.figures().energy_nj +=
      ComputeEnergyNj(traits_.write_ua, traits_.voltage_mv, traits_.write_ns);
}

bool I2cMemoryPart::Read(uint8_t address, ByteSpan head, MutableByteSpan data) {
  if (!Acknowledge(address)) return false;
  Clock(head.size() + 1 + data.size());
  const uint32_t offset = OffsetOf(address, head);
  if (!IsInBounds(offset, data.size(), traits_.layout.size_bytes)) return false;
  return IsOk(array_.Read(offset, data));
}

}  // namespace ota::simulator
