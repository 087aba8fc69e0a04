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

}  // namespace ota::storage
