// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/spi_nor_part.h"

#include <algorithm>
#include <bit>

#include "base/units.h"

namespace ota::simulator {

const SpiNorTraits kW25Q16 = {.name = "W25Q16JV", .identification = {0xEF, 0x40, 0x15}};
const SpiNorTraits kW25Q32 = {.name = "W25Q32JV", .identification = {0xEF, 0x40, 0x16}};
const SpiNorTraits kW25Q64 = {.name = "W25Q64JV", .identification = {0xEF, 0x40, 0x17}};
const SpiNorTraits kW25Q128 = {.name = "W25Q128JV", .identification = {0xEF, 0x40, 0x18}};
const SpiNorTraits kW25Q256 = {.name = "W25Q256JV", .identification = {0xEF, 0x40, 0x19}};
const SpiNorTraits kGd25Q16 = {.name = "GD25Q16E", .identification = {0xC8, 0x40, 0x15}};

namespace {

constexpr uint8_t kPageProgram = 0x02;
constexpr uint8_t kReadData = 0x03;
constexpr uint8_t kWriteDisable = 0x04;
constexpr uint8_t kReadStatusCommand = 0x05;
constexpr uint8_t kWriteEnable = 0x06;
constexpr uint8_t kFastRead = 0x0B;
constexpr uint8_t kPageProgramLong = 0x12;
constexpr uint8_t kReadLong = 0x13;
constexpr uint8_t kErase4K = 0x20;
constexpr uint8_t kErase4KLong = 0x21;
constexpr uint8_t kWriteStatus2 = 0x31;
constexpr uint8_t kReadStatus2 = 0x35;
constexpr uint8_t kErase32K = 0x52;
constexpr uint8_t kQuadRead = 0x6B;
constexpr uint8_t kQuadReadLong = 0x6C;
constexpr uint8_t kSuspend = 0x75;
constexpr uint8_t kResume = 0x7A;
constexpr uint8_t kReadIdentification = 0x9F;
constexpr uint8_t kEnableReset = 0x66;
constexpr uint8_t kReset = 0x99;
constexpr uint8_t kWakeUp = 0xAB;
constexpr uint8_t kPowerDown = 0xB9;
constexpr uint8_t kEraseChip = 0xC7;
constexpr uint8_t kErase64K = 0xD8;
constexpr uint8_t kErase64KLong = 0xDC;

constexpr uint8_t kQuadEnabled = 0x02;  // in the second status register
constexpr uint8_t kSuspended = 0x80;

SpiNorTraits Resize(SpiNorTraits traits, uint32_t size_bytes) {
  if (size_bytes != 0) {
    traits.identification[2] = static_cast<uint8_t>(std::countr_zero(size_bytes));
  }
  return traits;
}

NorTraits CellsOf(const SpiNorTraits& traits) {
  return NorTraits{.size_bytes = uint32_t{1} << traits.identification[2],
                   .erase_unit = KiB(4),
                   .program_unit = 1,
                   .programs_max = 0,
                   .has_ecc = false,
                   .endurance = traits.endurance};
}

bool IsLong(uint8_t command) {
  return command == kPageProgramLong || command == kReadLong || command == kErase4KLong ||
         command == kErase64KLong || command == kQuadReadLong;
}

bool IsProgram(uint8_t command) { return command == kPageProgram || command == kPageProgramLong; }

bool IsQuadRead(uint8_t command) { return command == kQuadRead || command == kQuadReadLong; }

/// Whether a dummy byte goes before the data.
bool IsFastRead(uint8_t command) { return command == kFastRead || IsQuadRead(command); }

bool IsRead(uint8_t command) {
  return command == kReadData || command == kReadLong || IsFastRead(command);
}

bool IsErase(uint8_t command) {
  return command == kErase4K || command == kErase4KLong || command == kErase32K ||
         command == kErase64K || command == kErase64KLong || command == kEraseChip;
}

}  // namespace

SpiNorPart::SpiNorPart(const SpiNorTraits& traits, SimulatedClock& clock, PowerSupply& power,
                       const std::string& path, uint32_t size_bytes)
    : SpiPart(clock, traits.frequency_hz),
      traits_(Resize(traits, size_bytes)),
      nor_(CellsOf(traits_), power, path) {}

void SpiNorPart::Reset() {
  DropIncoming();
  if (suspended_ && suspended_->is_program)
    nor_.SpoilProgram(suspended_->first, suspended_->length);
  if (suspended_ && !suspended_->is_program) nor_.SpoilErase(suspended_->first, suspended_->length);
  suspended_.reset();
  busy_until_ns_ = suspend_from_ns_ = 0;
  is_write_enabled_ = is_powered_down_ = may_reset_ = false;
}

void SpiNorPart::OnSelect() {
  count_ = 0;
  address_ = 0;
  page_count_ = 0;
}

uint32_t SpiNorPart::AddressBytes() const { return IsLong(command_) ? 4 : 3; }

uint8_t SpiNorPart::StatusRegister() {
  const bool is_busy = IsBusy();
  if (is_busy && clock().skips_waits()) clock().AdvanceTo(busy_until_ns_);
  return static_cast<uint8_t>((is_busy ? 1 : 0) | (is_write_enabled_ ? 2 : 0));
}

uint8_t SpiNorPart::SecondStatusRegister() const {
  return static_cast<uint8_t>((has_quad_ ? kQuadEnabled : 0) | (suspended_ ? kSuspended : 0));
}

bool SpiNorPart::IsSuspended(uint32_t address) const {
  return suspended_ && address - suspended_->first < suspended_->length;
}

/// Whether the part hears this command as it is now.
bool SpiNorPart::MayStart(uint8_t command) {
  if (is_powered_down_) return command == kWakeUp;
  if (IsBusy()) {
    return command == kReadStatusCommand || command == kReadStatus2 || command == kSuspend;
  }
  if (IsQuadRead(command)) return has_quad_;
  if (!suspended_) return true;
  return !IsErase(command) && command != kWriteStatus2 &&
         (!IsProgram(command) || !suspended_->is_program);
}

uint8_t SpiNorPart::Exchange(uint8_t in) {
  if (!nor_.is_powered()) return 0xFF;
  const uint32_t index = count_++;
  if (index == 0) {
    command_ = in;
    if (MayStart(in)) return 0xFF;
    violation_count_ += IsBusy() && in == kWriteEnable ? 0 : 1;
    command_ = 0;
    return 0xFF;
  }
  if (command_ == kReadStatusCommand) return StatusRegister();
  if (command_ == kReadStatus2) return SecondStatusRegister();
  if (command_ == kReadIdentification) return traits_.identification[(index - 1) % 3];
  if (index <= AddressBytes()) {
    address_ = (address_ << 8) | in;
    return 0xFF;
  }
  if (IsProgram(command_)) {
    page_[(address_ + page_count_) % kPageBytes] = in;
    page_count_ += 1;
    return 0xFF;
  }
  if (IsFastRead(command_) && index == AddressBytes() + 1) return 0xFF;
  return IsRead(command_) ? ReadNext() : 0xFF;
}

uint8_t SpiNorPart::ReadNext() {
  uint8_t byte = 0xFF;
  const uint32_t address = address_ % nor_.traits().size_bytes;
  // A read error of this part would go unnoticed; it reads as what the line gives.
  if (!IsOk(nor_.Read(address, MutableByteSpan(&byte, 1)))) byte = 0xFF;
  const bool has_wrong_lines = (read_lines() == 4) != IsQuadRead(command_);
  if (has_wrong_lines || IsSuspended(address)) {
    violation_count_ += 1;
    byte ^= static_cast<uint8_t>(nor_.traits().size_bytes / (address + 1) | 1);  // anything
  }
  address_ += 1;
  return byte;
}

void SpiNorPart::OnDeselect() {
  if (!nor_.is_powered() || count_ == 0) return;
  const bool may_reset = may_reset_;
  may_reset_ = command_ == kEnableReset;
  if (command_ == kReset && may_reset) Reset();
  if (command_ == kWakeUp) is_powered_down_ = false;
  if (command_ == kPowerDown) is_powered_down_ = true;
  if (command_ == kWriteEnable) is_write_enabled_ = true;
  if (command_ == kWriteDisable) is_write_enabled_ = false;
  if (command_ == kSuspend) Suspend();
  if (command_ == kResume) Resume();
  Execute();
}

/// A suspend that comes when all is done is heard by nobody.
void SpiNorPart::Suspend() {
  if (!IsBusy()) return;
  const uint64_t now_ns = clock().now_ns();
  if (suspended_ || !under_way_.can_be_suspended || now_ns < suspend_from_ns_) {
    violation_count_ += 1;
    return;
  }
  suspended_ = under_way_;
  suspended_->rest_ns = busy_until_ns_ - now_ns;
  under_way_ = {};
  busy_until_ns_ = now_ns + traits_.suspend_ns;
}

void SpiNorPart::Resume() {
  if (!suspended_) return;
  under_way_ = *suspended_;
  suspended_.reset();
  suspend_from_ns_ = clock().now_ns() + traits_.suspend_ns;
  busy_until_ns_ = clock().now_ns() + under_way_.rest_ns;
}

void SpiNorPart::WriteSecondStatus() {
  if (!is_write_enabled_ || count_ != 2) {
    violation_count_ += 1;
    return;
  }
  has_quad_ = (address_ & kQuadEnabled) != 0;
  Start({}, traits_.write_status_ns);
}

/// What changes the cells, and the status register.
void SpiNorPart::Execute() {
  switch (command_) {
    case kWriteStatus2:
      WriteSecondStatus();
      break;
    case kPageProgram:
    case kPageProgramLong:
      ProgramPage();
      break;
    case kErase4K:
    case kErase4KLong:
      Erase(KiB(4), traits_.erase_ns);
      break;
    case kErase32K:
      Erase(KiB(32), traits_.block_erase_ns * 4 / 5);
      break;
    case kErase64K:
    case kErase64KLong:
      Erase(KiB(64), traits_.block_erase_ns);
      break;
    case kEraseChip:
      address_ = 0;
      Erase(nor_.traits().size_bytes,
            traits_.megabyte_erase_ns * (nor_.traits().size_bytes / KiB(256)) / 4);
      break;
    default:
      return;
  }
  is_write_enabled_ = false;
}

/// The bytes that came last win when more than a page came.
void SpiNorPart::ProgramPage() {
  const uint32_t size_bytes = nor_.traits().size_bytes;
  if (!is_write_enabled_ || page_count_ == 0 || address_ >= size_bytes || IsSuspended(address_)) {
    violation_count_ += 1;
    return;
  }
  const uint32_t page_first = address_ / kPageBytes * kPageBytes;
  const uint32_t first = address_ % kPageBytes;
  const uint32_t length = std::min(page_count_, kPageBytes);
  const uint32_t before_wrap = std::min(length, kPageBytes - first);
  violation_count_ += page_count_ > kPageBytes ? 1 : 0;
  for (uint32_t i = 0; i < kPageBytes; ++i) {  // bits stay 0; the real part does not complain
    const uint8_t old = nor_.bytes()[page_first + i];
    const bool is_written = (i + kPageBytes - first) % kPageBytes < length;
    if (is_written && (page_[i] & ~old) != 0) violation_count_ += 1;
    page_[i] &= old;
  }
  const ByteSpan page(page_);
  const auto program = [&](uint32_t at, uint32_t count) {
    if (count == 0) return;
    const Status status = nor_.Program(page_first + at, page.subspan(at, count));
    if (status == Status::kNotErased) violation_count_ += 1;
  };
  program(first, before_wrap);
  program(0, length - before_wrap);
  Start({page_first, kPageBytes, true, true}, traits_.program_ns);
}

void SpiNorPart::Erase(uint32_t unit_bytes, uint64_t ns) {
  const uint32_t first = address_ / unit_bytes * unit_bytes;
  if (!is_write_enabled_ || !IsInBounds(first, unit_bytes, nor_.traits().size_bytes)) {
    violation_count_ += 1;
    return;
  }
  (void)nor_.Erase(first, unit_bytes);  // the part does not tell how it went
  Start({first, unit_bytes, false, command_ != kEraseChip}, ns);
}

void SpiNorPart::Start(const Work& work, uint64_t ns) {
  under_way_ = work;
  Spend(ns);
}

void SpiNorPart::Spend(uint64_t ns) {
  busy_until_ns_ = clock().now_ns() + ns;
  nor_.figures().busy_ns += ns;
  nor_.figures().energy_nj += ComputeEnergyNj(traits_.program_ua, traits_.voltage_mv, ns);
}

void SpiNorPart::SpendTransfer(uint64_t ns) {
  nor_.figures().transfer_ns += ns;
  nor_.figures().energy_nj += ComputeEnergyNj(traits_.read_ua, traits_.voltage_mv, ns);
}

}  // namespace ota::simulator
