// SPDX-License-Identifier: Apache-2.0
#include "crypto/host/hex.h"

namespace ota::crypto {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string HexText(ByteSpan bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Status DecodeHex(std::string_view text, MutableByteSpan target) {
  if (text.size() != 2 * target.size()) return Status::kInvalidArgument;
  for (size_t i = 0; i < target.size(); ++i) {
    const size_t high = kDigits.find(text[2 * i]);
    const size_t low = kDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return Status::kInvalidArgument;
    }
    target[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return Status::kOk;
}

}  // namespace ota::crypto
