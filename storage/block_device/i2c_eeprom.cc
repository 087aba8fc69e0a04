// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/i2c_eeprom.h"

#include <algorithm>
#include <array>

namespace ota::storage {
namespace {

constexpr uint32_t kPageBytesMax = 256;

}  // namespace

I2cEeprom::I2cEeprom(I2cBus& bus, const I2cMemoryLayout& layout)
    : bus_(bus),
      layout_(layout),
      geometry_{.size_bytes = layout.size_bytes,
                .read_unit = 1,
                .program_unit = layout.page_bytes,
                .erase_unit = layout.page_bytes,
                .erased_value = 0xFF,
                .can_reprogram = true,
                .needs_erase = false},
      written_device_(layout.device_address) {}

I2cEeprom::Address I2cEeprom::AddressOf(uint32_t offset) const {
  const uint32_t block = offset / block_bytes();
  const bool is_short = layout_.address_bytes == 1;
  const auto low = static_cast<uint8_t>(offset);
  const auto high = static_cast<uint8_t>(offset >> 8);
  return Address{
      .device = static_cast<uint8_t>(layout_.device_address | (block << layout_.block_shift)),
      .bytes = {is_short ? low : high, low}};
}

Status I2cEeprom::StartProgram(uint32_t offset, ByteSpan data) {
  const Address address = AddressOf(offset);
  written_device_ = address.device;
  const bool is_taken =
      bus_.Write(address.device, ByteSpan(address.bytes, layout_.address_bytes), data);
  return is_taken ? Status::kOk : Status::kMediumFailed;
}

Status I2cEeprom::StartErase(uint32_t offset) {
  if (layout_.page_bytes > kPageBytesMax) return Status::kNotSupported;
  std::array<uint8_t, kPageBytesMax> erased;
  erased.fill(geometry_.erased_value);
  return StartProgram(offset, ByteSpan(erased).first(layout_.page_bytes));
}

Status I2cEeprom::Poll() {
  if (bus_.Write(written_device_, {}, {})) {
    silence_count_ = 0;
    return Status::kOk;
  }
  if (++silence_count_ < kSilenceMax) return Status::kBusy;
  silence_count_ = 0;
  return Status::kMediumFailed;
}

/// A sequential read does not go on into the next block of parts that have several.
Status I2cEeprom::Read(uint32_t offset, MutableByteSpan target) {
  while (!target.empty()) {
    const uint32_t piece = static_cast<uint32_t>(
        std::min<size_t>(target.size(), block_bytes() - offset % block_bytes()));
    const Address address = AddressOf(offset);
    if (!bus_.Read(address.device, ByteSpan(address.bytes, layout_.address_bytes),
                   target.first(piece))) {
      return Status::kMediumFailed;
    }
    offset += piece;
    target = target.subspan(piece);
  }
  return Status::kOk;
}

}  // namespace ota::storage
