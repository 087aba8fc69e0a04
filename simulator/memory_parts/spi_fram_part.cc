// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/spi_fram_part.h"

#include <algorithm>
#include <bit>

#include "base/units.h"

namespace ota::simulator {

const SpiFramTraits kFm25V10 = {
    .name = "FM25V10",
    .size_bytes = KiB(128),
    .identification = {0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0xC2, 0x24, 0x00}};
const SpiFramTraits kFm25W256 = {.name = "FM25W256",
                                 .size_bytes = KiB(32),
                                 .has_sleep = false,
                                 .frequency_hz = 20'000'000,
                                 .active_ua = 1000};
const SpiFramTraits kMb85Rs64V = {.name = "MB85RS64V",
                                  .size_bytes = KiB(8),
                                  .identification = {0x04, 0x7F, 0x03, 0x02},
                                  .has_sleep = false,
                                  .frequency_hz = 20'000'000,
                                  .endurance = 1'000'000'000'000,
                                  .active_ua = 1500};
const SpiFramTraits kMb85Rs2Mt = {.name = "MB85RS2MT",
                                  .size_bytes = KiB(256),
                                  .identification = {0x04, 0x7F, 0x28, 0x03},
                                  .frequency_hz = 25'000'000,
                                  .endurance = 10'000'000'000'000};

namespace {

constexpr uint8_t kWriteStatus = 0x01;
constexpr uint8_t kWrite = 0x02;
constexpr uint8_t kRead = 0x03;
constexpr uint8_t kWriteDisable = 0x04;
constexpr uint8_t kReadStatus = 0x05;
constexpr uint8_t kWriteEnable = 0x06;
constexpr uint8_t kReadIdentification = 0x9F;
constexpr uint8_t kSleep = 0xB9;

constexpr uint8_t kStatusWriteEnabled = 0x02;
constexpr uint8_t kStatusKept = 0x8C;  // WPEN and the protected blocks

/// The byte with the density and its value for a size: of both kinds one more is twice as much.
SpiFramTraits Resize(SpiFramTraits traits, uint32_t size_bytes) {
  if (size_bytes == 0) return traits;
  const int more = std::countr_zero(size_bytes) - std::countr_zero(traits.size_bytes);
  traits.size_bytes = size_bytes;
  if (traits.identification.empty()) return traits;
  uint8_t& density = traits.identification[traits.identification.size() == 9 ? 7 : 2];
  density = static_cast<uint8_t>(density + more);
  return traits;
}

}  // namespace

SpiFramPart::SpiFramPart(const SpiFramTraits& traits, SimulatedClock& clock, PowerSupply& power,
                         const std::string& path, uint32_t size_bytes)
    : SpiPart(clock, traits.frequency_hz),
      traits_(Resize(traits, size_bytes)),
      array_({.size_bytes = traits_.size_bytes,
              .unit_bytes = kRowBytes,
              .erased_value = 0,
              .tears_whole_unit = true,
              .may_be_unreadable = false,
              .reads_wear = true,
              .endurance = traits_.endurance},
             power, path) {}

void SpiFramPart::Reset() {
  DropIncoming();
  is_write_enabled_ = is_asleep_ = false;
  awake_at_ns_ = 0;
}

void SpiFramPart::OnSelect() {
  count_ = 0;
  address_ = 0;
  row_count_ = 0;
  if (is_asleep_) awake_at_ns_ = clock().now_ns() + traits_.wake_ns;
  is_asleep_ = false;
}

bool SpiFramPart::MayStart(uint8_t command) {
  if (clock().now_ns() < awake_at_ns_) {
    if (clock().skips_waits()) clock().AdvanceTo(awake_at_ns_);
    return false;
  }
  switch (command) {
    case kWriteStatus:
    case kWrite:
      return is_write_enabled_;
    case kReadIdentification:
      return !traits_.identification.empty();
    case kSleep:
      return traits_.has_sleep;
    default:
      return command == kRead || command == kReadStatus || command == kWriteEnable ||
             command == kWriteDisable;
  }
}

uint8_t SpiFramPart::Exchange(uint8_t in) {
  if (!array_.power().is_on()) return 0xFF;
  const uint32_t index = count_++;
  if (index == 0) {
    command_ = in;
    if (MayStart(in)) return 0xFF;
    violation_count_ += 1;
    command_ = 0;
    return 0xFF;
  }
  if (command_ == kReadStatus) {
    return static_cast<uint8_t>(status_ | (is_write_enabled_ ? kStatusWriteEnabled : 0));
  }
  if (command_ == kReadIdentification) {
    return traits_.identification[(index - 1) % traits_.identification.size()];
  }
  if (command_ == kWriteStatus && index == 1) status_ = in & kStatusKept;
  if (command_ != kRead && command_ != kWrite) return 0xFF;
  if (index <= AddressBytes()) {
    address_ = ((address_ << 8) | in) % traits_.size_bytes;
    return 0xFF;
  }
  if (command_ == kRead) return ReadNext();
  TakeByte(in);
  return 0xFF;
}

uint8_t SpiFramPart::ReadNext() {
  const uint32_t at = address_ % kRowBytes;
  if (at == 0 || count_ == AddressBytes() + 2) {
    // A read error of this part would go unnoticed.
    if (!IsOk(array_.Read(address_, MutableByteSpan(row_).subspan(at)))) row_.fill(0xFF);
  }
  address_ = (address_ + 1) % traits_.size_bytes;
  return row_[at];
}

/// The upper quarter, the upper half, or all.
bool SpiFramPart::IsProtected(uint32_t address) const {
  const uint32_t blocks = (status_ >> 2) & 3u;
  if (blocks == 0) return false;
  return address >= traits_.size_bytes - traits_.size_bytes / (8u >> blocks);
}

void SpiFramPart::TakeByte(uint8_t in) {
  if (IsProtected(address_)) {
    WriteRow();
    violation_count_ += 1;
  } else {
    row_[row_count_++] = in;
  }
  address_ = (address_ + 1) % traits_.size_bytes;
  if (address_ % kRowBytes == 0) WriteRow();
}

void SpiFramPart::WriteRow() {
  if (row_count_ == 0) return;
  const uint32_t end = address_ == 0 ? traits_.size_bytes : address_;
  (void)array_.Write(end - row_count_, ByteSpan(row_).first(row_count_));  // the part does not tell
  row_count_ = 0;
}

void SpiFramPart::OnDeselect() {
  if (!array_.power().is_on() || count_ == 0) return;
  switch (command_) {
    case kWrite:
      WriteRow();
      is_write_enabled_ = false;
      break;
    case kWriteStatus:
    case kWriteDisable:
      is_write_enabled_ = false;
      break;
    case kWriteEnable:
      is_write_enabled_ = true;
      break;
    case kSleep:
      is_asleep_ = true;
      break;
    default:
      break;
  }
}

void SpiFramPart::SpendTransfer(uint64_t ns) {
  array_.figures().transfer_ns += ns;
  array_.figures().energy_nj += ComputeEnergyNj(traits_.active_ua, traits_.voltage_mv, ns);
}

}  // namespace ota::simulator
