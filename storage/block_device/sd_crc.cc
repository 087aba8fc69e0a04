// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/sd_crc.h"

namespace ota::storage {

uint8_t ComputeSdCrc7(ByteSpan bytes) {
  uint32_t crc = 0;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80) != 0 ? (crc << 1) ^ (0x09 << 1) : crc << 1;
  }
  return static_cast<uint8_t>((crc & 0xFE) | 1);
}

uint16_t ComputeSdCrc16(ByteSpan bytes) {
  uint32_t crc = 0;
  for (const uint8_t byte : bytes) {  // polynomial 0x1021, a byte at a time without a table
    crc = ((crc >> 8) | (crc << 8)) & 0xFFFF;
    crc ^= byte;
    crc ^= (crc & 0xFF) >> 4;
    crc ^= (crc << 12) & 0xFFFF;
    crc ^= (crc & 0xFF) << 5;
  }
  return static_cast<uint16_t>(crc);
}

namespace {

/// The registers of eight lines side by side: bit k of line j is bit j of byte k. To shift all of
/// them, the place of byte 0 is moved.
class LineRegisters {
 public:
  void Take(uint32_t bits) {
    first_ -= 1;
    const auto fed_back = static_cast<uint8_t>(At(0) ^ bits);
    At(0) = fed_back;
    At(5) ^= fed_back;
    At(12) ^= fed_back;
  }

  uint16_t Line(uint32_t line) {
    uint32_t crc = 0;
    for (uint32_t bit = 0; bit < kBitCount; ++bit) crc |= ((At(bit) >> line) & 1u) << bit;
    return static_cast<uint16_t>(crc);
  }

 private:
  static constexpr uint32_t kBitCount = 16;

  uint8_t& At(uint32_t bit) { return bits_[(first_ + bit) % kBitCount]; }

  std::array<uint8_t, kBitCount> bits_{};
  uint32_t first_ = 0;
};

}  // namespace

LineCheckBits ComputeLineCheckBits(ByteSpan bytes, uint32_t line_count) {
  LineCheckBits crcs{};
  if (line_count == 1) {
    crcs[0] = ComputeSdCrc16(bytes);
    return crcs;
  }
  LineRegisters registers;
  for (const uint8_t byte : bytes) {
    if (line_count == 4) registers.Take(byte >> 4);
    registers.Take(line_count == 4 ? byte & 15u : byte);
  }
  for (uint32_t line = 0; line < line_count; ++line) crcs[line] = registers.Line(line);
  return crcs;
}

}  // namespace ota::storage
