// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/spi_nor.h"

#include <array>

#include "base/units.h"

namespace ota::storage {
namespace {

constexpr uint8_t kReadIdentification = 0x9F;
constexpr uint8_t kWakeUp = 0xAB;
constexpr uint8_t kWriteEnable = 0x06;
constexpr uint8_t kReadStatus = 0x05;
constexpr uint8_t kRead = 0x03;
constexpr uint8_t kReadLong = 0x13;  // with 32 address bits, as all long ones
constexpr uint8_t kReadStatus2 = 0x35;
constexpr uint8_t kWriteStatus2 = 0x31;
constexpr uint8_t kQuadRead = 0x6B;
constexpr uint8_t kQuadReadLong = 0x6C;
constexpr uint8_t kSuspend = 0x75;
constexpr uint8_t kResume = 0x7A;
constexpr uint8_t kPageProgram = 0x02;
constexpr uint8_t kPageProgramLong = 0x12;
constexpr uint8_t kSectorErase = 0x20;
constexpr uint8_t kSectorEraseLong = 0x21;

constexpr uint8_t kStatusBusy = 0x01;
constexpr uint8_t kStatusWriteEnabled = 0x02;
constexpr uint8_t kStatus2QuadEnabled = 0x02;
constexpr uint8_t kStatus2Suspended = 0x80;
constexpr uint32_t kSuspendPollsMax = 1000;
constexpr uint32_t kResumePolls = 200;  // 20 µs at 133 MHz, or longer

constexpr uint32_t kPageBytes = 256;
constexpr uint32_t kShortAddressEnd = MiB(16);
constexpr uint8_t kCapacityMin = 0x10;  // 2^16 bytes
constexpr uint8_t kCapacityMax = 0x1C;

}  // namespace

uint32_t SpiNorFlash::program_bytes_max() const { return kPageBytes; }

void SpiNorFlash::Command(uint8_t code) {
  bus_.Select();
  bus_.Write(ByteSpan(&code, 1));
  bus_.Deselect();
}

/// Leaves the part selected.
void SpiNorFlash::SendAddress(uint8_t code, uint8_t long_code, uint32_t offset) {
  const bool is_long = geometry_.size_bytes > kShortAddressEnd;
  std::array<uint8_t, 5> bytes;
  StoreBe32(&bytes[1], offset);
  if (!is_long) bytes = {code, bytes[2], bytes[3], bytes[4], 0};
  if (is_long) bytes[0] = long_code;
  bus_.Select();
  bus_.Write(ByteSpan(bytes).first(is_long ? 5 : 4));
}

uint8_t SpiNorFlash::ReadRegister(uint8_t code) {
  uint8_t value = code;
  bus_.Select();
  bus_.Write(ByteSpan(&value, 1));
  bus_.Read(MutableByteSpan(&value, 1));
  bus_.Deselect();
  return value;
}

uint8_t SpiNorFlash::ReadStatus() { return ReadRegister(kReadStatus); }

Status SpiNorFlash::Start() {
  Command(kWakeUp);
  if ((ReadStatus() & kStatusBusy) != 0) {
    return ReadStatus() == 0xFF ? Status::kNotSupported : Status::kBusy;
  }
  std::array<uint8_t, 3> identification{};
  bus_.Select();
  bus_.Write(ByteSpan(&kReadIdentification, 1));
  bus_.Read(identification);
  bus_.Deselect();
  const uint8_t capacity = identification[2];
  if (capacity < kCapacityMin || capacity > kCapacityMax) return Status::kNotSupported;
  geometry_ = Geometry{.size_bytes = uint32_t{1} << capacity,
                       .read_unit = 1,
                       .program_unit = 1,
                       .erase_unit = KiB(4),
                       .erased_value = 0xFF,
                       .can_reprogram = true,
                       .needs_erase = true};
  return Status::kOk;
}

/// A part that has lost its power or sits loose does not set the bit.
Status SpiNorFlash::EnableWrite() {
  Command(kWriteEnable);
  const uint8_t status = ReadStatus();
  if ((status & kStatusBusy) != 0 && status != 0xFF) return Status::kBusy;
  const bool is_enabled = (status & (kStatusBusy | kStatusWriteEnabled)) == kStatusWriteEnabled;
  return is_enabled ? Status::kOk : Status::kMediumFailed;
}

Status SpiNorFlash::StartProgram(uint32_t offset, ByteSpan data) {
  OTA_TRY(EnableWrite());
  was_resumed_ = false;
  work_begin_ = offset;
  work_end_ = offset + static_cast<uint32_t>(data.size());
  SendAddress(kPageProgram, kPageProgramLong, offset);
  bus_.Write(data);
  bus_.Deselect();
  return Status::kOk;
}

Status SpiNorFlash::StartErase(uint32_t offset) {
  OTA_TRY(EnableWrite());
  was_resumed_ = false;
  work_begin_ = offset;
  work_end_ = offset + geometry_.erase_unit;
  SendAddress(kSectorErase, kSectorEraseLong, offset);
  bus_.Deselect();
  return Status::kOk;
}

Status SpiNorFlash::Poll() {
  const uint8_t status = ReadStatus();
  if (status == 0xFF) return Status::kMediumFailed;  // nobody drives the line
  return (status & kStatusBusy) != 0 ? Status::kBusy : Status::kOk;
}

void SpiNorFlash::BeginRead(uint32_t offset) { SendAddress(kRead, kReadLong, offset); }

Status SpiNorFlash::Read(uint32_t offset, MutableByteSpan target) {
  BeginRead(offset);
  bus_.Read(target);
  bus_.Deselect();
  return Status::kOk;
}

// --- four lines

void SpiNorFlash::BeginQuadRead(uint32_t offset) {
  SendAddress(kQuadRead, kQuadReadLong, offset);
  const uint8_t dummy = 0;
  bus_.Write(ByteSpan(&dummy, 1));
}

Status SpiNorFlash::EnableQuad() {
  OTA_TRY(Poll());
  const uint8_t status = ReadRegister(kReadStatus2);
  if ((status & kStatus2QuadEnabled) != 0) return Status::kOk;
  OTA_TRY(EnableWrite());
  const uint8_t command[2] = {kWriteStatus2, static_cast<uint8_t>(status | kStatus2QuadEnabled)};
  bus_.Select();
  bus_.Write(command);
  bus_.Deselect();
  return Status::kBusy;
}

// --- suspend and resume

Status SpiNorFlash::Suspend() {
  for (uint32_t i = was_resumed_ ? 0 : kResumePolls; i <= kResumePolls; ++i) {
    if ((ReadStatus() & kStatusBusy) == 0) return Status::kWrongState;
  }
  Command(kSuspend);
  uint8_t status = kStatusBusy;
  for (uint32_t i = 0; i < kSuspendPollsMax && (status & kStatusBusy) != 0; ++i) {
    status = ReadStatus();
  }
  if ((status & kStatusBusy) != 0) return Status::kBusy;
  const bool is_suspended = (ReadRegister(kReadStatus2) & kStatus2Suspended) != 0;
  return is_suspended ? Status::kOk : Status::kWrongState;
}

void SpiNorFlash::Resume() {
  Command(kResume);
  was_resumed_ = true;
}

}  // namespace ota::storage
