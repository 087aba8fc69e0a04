// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

// Bytes written as hexadecimal digits in tests; blanks are skipped.

namespace ota {

inline std::vector<uint8_t> BytesOfHex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  int high = -1;
  for (const char digit : hex) {
    if (digit == ' ' || digit == '\n') continue;
    const int value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    if (high >= 0) bytes.push_back(static_cast<uint8_t>(high << 4 | value));
    high = high >= 0 ? -1 : value;
  }
  return bytes;
}

template <size_t kBytes>
std::array<uint8_t, kBytes> ArrayOfHex(std::string_view hex) {
  const std::vector<uint8_t> bytes = BytesOfHex(hex);
  std::array<uint8_t, kBytes> array = {};
  std::copy_n(bytes.begin(), std::min(bytes.size(), kBytes), array.begin());
  return array;
}

inline std::string HexOf(ByteSpan bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

}  // namespace ota
