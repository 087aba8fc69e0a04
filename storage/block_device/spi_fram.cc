// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/spi_fram.h"

#include <algorithm>
#include <array>

#include "base/units.h"

namespace ota::storage {
namespace {

constexpr uint8_t kWriteEnable = 0x06;
constexpr uint8_t kWriteDisable = 0x04;
constexpr uint8_t kReadStatus = 0x05;
constexpr uint8_t kRead = 0x03;
constexpr uint8_t kWrite = 0x02;
constexpr uint8_t kReadIdentification = 0x9F;

constexpr uint8_t kStatusWriteEnabled = 0x02;

constexpr uint32_t kRowBytes = 8;
constexpr uint32_t kBlockBytes = 64;
constexpr uint32_t kProgramBytesMax = 4096;
constexpr uint32_t kShortAddressEnd = KiB(64);
constexpr uint32_t kSilenceMax = 1000;  // it wakes up in 0.4 ms

}  // namespace

uint32_t SpiFram::program_bytes_max() const { return kProgramBytesMax; }

void SpiFram::Command(uint8_t code) {
  bus_.Select();
  bus_.Write(ByteSpan(&code, 1));
  bus_.Deselect();
}

/// Leaves the part selected.
void SpiFram::SendAddress(uint8_t code, uint32_t offset) {
  const bool is_short = geometry_.size_bytes <= kShortAddressEnd;
  std::array<uint8_t, 4> bytes;
  StoreBe32(bytes.data(), offset);
  bytes[0] = code;
  if (is_short) bytes = {code, bytes[2], bytes[3], 0};
  bus_.Select();
  bus_.Write(ByteSpan(bytes).first(is_short ? 3 : 4));
}

uint8_t SpiFram::ReadStatus() {
  uint8_t status = kReadStatus;
  bus_.Select();
  bus_.Write(ByteSpan(&status, 1));
  bus_.Read(MutableByteSpan(&status, 1));
  bus_.Deselect();
  return status;
}

/// 0: it is none that is known. Ramtron and Cypress tell their maker's bank by six bytes 7F first;
/// Fujitsu's maker is in bank 1.
uint32_t SpiFram::ReadSize() {
  std::array<uint8_t, 9> id{};
  bus_.Select();
  bus_.Write(ByteSpan(&kReadIdentification, 1));
  bus_.Read(id);
  bus_.Deselect();
  const bool is_fm25v =
      std::count(id.begin(), id.begin() + 6, 0x7F) == 6 && id[6] == 0xC2 && (id[7] & 0xE0) == 0x20;
  const bool is_mb85rs = id[0] == 0x04 && id[1] == 0x7F;
  const uint32_t density = (is_fm25v ? id[7] : id[2]) & 0x1Fu;
  if (is_fm25v && density <= 7) return KiB(8) << density;
  if (is_mb85rs && density >= 1 && density <= 10) return KiB(1) << density;
  return 0;
}

Status SpiFram::Start() {
  const uint32_t size_bytes = told_bytes_ == 0 ? ReadSize() : told_bytes_;
  Command(kWriteEnable);
  const uint8_t status = ReadStatus();
  Command(kWriteDisable);
  const bool is_awake = status != 0xFF && (status & kStatusWriteEnabled) != 0;
  if (size_bytes == 0 || !is_awake) {
    silence_count_ += 1;
    return silence_count_ < kSilenceMax ? Status::kBusy : Status::kNotSupported;
  }
  geometry_ = Geometry{.size_bytes = size_bytes,
                       .read_unit = 1,
                       .program_unit = kRowBytes,
                       .erase_unit = kBlockBytes,
                       .erased_value = 0,
                       .can_reprogram = true,
                       .needs_erase = false};
  return Status::kOk;
}

/// A part that has lost its power or sits loose does not set the bit.
Status SpiFram::StartProgram(uint32_t offset, ByteSpan data) {
  Command(kWriteEnable);
  const uint8_t status = ReadStatus();
  if (status == 0xFF || (status & kStatusWriteEnabled) == 0) return Status::kMediumFailed;
  SendAddress(kWrite, offset);
  bus_.Write(data);
  bus_.Deselect();
  return Status::kOk;
}

Status SpiFram::StartErase(uint32_t offset) {
  static constexpr std::array<uint8_t, kBlockBytes> kZeros{};
  return StartProgram(offset, kZeros);
}

Status SpiFram::Poll() { return ReadStatus() == 0xFF ? Status::kMediumFailed : Status::kOk; }

void SpiFram::BeginRead(uint32_t offset) { SendAddress(kRead, offset); }

Status SpiFram::Read(uint32_t offset, MutableByteSpan target) {
  BeginRead(offset);
  bus_.Read(target);
  bus_.Deselect();
  return Status::kOk;
}

}  // namespace ota::storage
