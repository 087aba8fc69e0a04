// SPDX-License-Identifier: Apache-2.0
#include "agent/update/digest_tag.h"

namespace ota::agent {
namespace {

std::optional<uint8_t> HexValue(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<crypto::Sha256Digest> ParseDigestTag(std::string_view tag) {
  crypto::Sha256Digest digest;
  if (tag.size() != 2 + 2 * digest.size() || tag.front() != '"' || tag.back() != '"') {
    return std::nullopt;
  }
  for (size_t i = 0; i < digest.size(); ++i) {
    const std::optional<uint8_t> high = HexValue(tag[1 + 2 * i]);
    const std::optional<uint8_t> low = HexValue(tag[2 + 2 * i]);
    if (!high || !low) return std::nullopt;
    digest[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return digest;
}

void FormatDigestTag(const crypto::Sha256Digest& digest, std::span<char, kDigestTagBytes> target) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  target.front() = '"';
  target.back() = '"';
  for (size_t i = 0; i < digest.size(); ++i) {
    target[1 + 2 * i] = kDigits[digest[i] >> 4];
    target[2 + 2 * i] = kDigits[digest[i] & 15];
  }
}

}  // namespace ota::agent
