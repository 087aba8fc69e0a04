// SPDX-License-Identifier: Apache-2.0
#include "formats/host/uuid.h"

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

namespace ota::formats {
namespace {

constexpr Uuid kDnsNameSpace = {0x6B, 0xA7, 0xB8, 0x10, 0x9D, 0xAD, 0x11, 0xD1,
                                0x80, 0xB4, 0x00, 0xC0, 0x4F, 0xD4, 0x30, 0xC8};
constexpr std::string_view kDigits = "0123456789abcdef";

bool IsDashAt(size_t digit_count) {
  return digit_count == 8 || digit_count == 12 || digit_count == 16 || digit_count == 20;
}

}  // namespace

Uuid ComputeNamedUuid(const Uuid& name_space, std::string_view name) {
  std::vector<uint8_t> input(name_space.begin(), name_space.end());
  input.insert(input.end(), name.begin(), name.end());
  std::array<uint8_t, 20> digest = {};
  EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  Uuid uuid;
  std::copy_n(digest.begin(), uuid.size(), uuid.begin());
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0F) | 0x50);
  uuid[8] = static_cast<uint8_t>((uuid[8] & 0x3F) | 0x80);
  return uuid;
}

Uuid ComputeVendorId(std::string_view domain) { return ComputeNamedUuid(kDnsNameSpace, domain); }

Uuid ComputeClassId(const Uuid& vendor_id, std::string_view name) {
  return ComputeNamedUuid(vendor_id, name);
}

std::string FormatUuid(ByteSpan uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (IsDashAt(2 * i)) text += '-';
    text += kDigits[uuid[i] >> 4];
    text += kDigits[uuid[i] & 15];
  }
  return text;
}

Result<Uuid> ParseUuid(std::string_view text) {
  Uuid uuid = {};
  size_t digit_count = 0;
  bool is_after_dash = false;
  for (const char c : text) {
    if (c == '-' && IsDashAt(digit_count) && !is_after_dash) {
      is_after_dash = true;
      continue;
    }
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    const size_t value = kDigits.find(lower);
    const bool needs_dash = IsDashAt(digit_count) && !is_after_dash;
    if (value == std::string_view::npos || digit_count == 32 || needs_dash) {
      return Status::kInvalidArgument;
    }
    is_after_dash = false;
    uint8_t& byte = uuid[digit_count / 2];
    byte = static_cast<uint8_t>(size_t{byte} << 4 | value);
    ++digit_count;
  }
  return digit_count == 32 ? Result<Uuid>(uuid) : Status::kInvalidArgument;
}

}  // namespace ota::formats
