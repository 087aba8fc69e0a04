// SPDX-License-Identifier: Apache-2.0
#include "server/http/byte_range.h"

#include <algorithm>
#include <optional>

namespace ota::server {

namespace {

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// A decimal number; one that is too large becomes the largest. Nothing if it has other characters.
std::optional<uint64_t> ParseNumber(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  return value;
}

ByteRange Part(uint64_t first, uint64_t last, uint32_t size_bytes) {
  if (first >= size_bytes) return {.kind = ByteRange::Kind::kUnsatisfiable};
  const uint64_t end = std::min<uint64_t>(last, size_bytes - 1) + 1;
  return {.kind = ByteRange::Kind::kPart,
          .offset = static_cast<uint32_t>(first),
          .length = static_cast<uint32_t>(end - first)};
}

}  // namespace

ByteRange ParseByteRange(std::string_view header, uint32_t size_bytes) {
  constexpr std::string_view kUnit = "bytes=";
  const ByteRange ignored;
  header = Trim(header);
  if (!header.starts_with(kUnit)) return ignored;
  const std::string_view range = Trim(header.substr(kUnit.size()));
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return ignored;
  const std::optional<uint64_t> first = ParseNumber(range.substr(0, dash));
  const std::optional<uint64_t> last = ParseNumber(range.substr(dash + 1));
  if (dash == 0) {
    if (!last) return ignored;
    if (*last == 0 || size_bytes == 0) return {.kind = ByteRange::Kind::kUnsatisfiable};
    return Part(size_bytes - std::min<uint64_t>(*last, size_bytes), UINT64_MAX - 1, size_bytes);
  }
  const bool is_open_ended = dash + 1 == range.size();
  if (!first || (!last && !is_open_ended)) return ignored;
  if (last && *last < *first) return ignored;
  return Part(*first, last.value_or(UINT64_MAX - 1), size_bytes);
}

}  // namespace ota::server
