// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/certificate_name.h"

#include <algorithm>

namespace ota::agent {
namespace {

constexpr size_t kGroupCount = 8;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsEqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ToLower(x) == ToLower(y); });
}

std::optional<uint8_t> ParseOctet(std::string_view text) {
  if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), IsDigit)) {
    return std::nullopt;
  }
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  uint32_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<uint32_t>(c - '0');
  if (value > 255) return std::nullopt;
  return static_cast<uint8_t>(value);
}

bool ParseIpV4(std::string_view text, MutableByteSpan target) {
  for (size_t i = 0; i < 4; ++i) {
    const size_t end = i < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return false;
    const std::optional<uint8_t> octet = ParseOctet(text.substr(0, end));
    if (!octet) return false;
    target[i] = *octet;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

std::optional<uint16_t> ParseGroup(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text) {
    const char lower = ToLower(c);
    if (!IsDigit(c) && (lower < 'a' || lower > 'f')) return std::nullopt;
    value = value * 16 + static_cast<uint32_t>(IsDigit(c) ? c - '0' : lower - 'a' + 10);
  }
  return static_cast<uint16_t>(value);
}

/// Reads groups joined by ':' into `target`; the last may be an IPv4 address. How many groups they
/// are, or nothing.
std::optional<size_t> ParseGroups(std::string_view text, MutableByteSpan target) {
  size_t count = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, end);
    const bool is_last = end == text.size();
    if (is_last && count + 2 <= kGroupCount && ParseIpV4(part, target.subspan(count * 2, 4))) {
      return count + 2;
    }
    const std::optional<uint16_t> group = ParseGroup(part);
    if (!group || count == kGroupCount) return std::nullopt;
    StoreBe16(&target[count * 2], *group);
    ++count;
    if (is_last) return count;
    text.remove_prefix(end + 1);
    if (text.empty()) return std::nullopt;  // a lone ':' at the end
  }
  return count;
}

std::optional<IpAddress> ParseIpV6(std::string_view text) {
  IpAddress address;
  address.length = 16;
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    return ParseGroups(text, address.bytes) == kGroupCount ? std::optional(address) : std::nullopt;
  }
  std::array<uint8_t, 16> tail = {};
  const std::optional<size_t> head_count = ParseGroups(text.substr(0, gap), address.bytes);
  const std::optional<size_t> tail_count = ParseGroups(text.substr(gap + 2), tail);
  if (!head_count || !tail_count || *head_count + *tail_count >= kGroupCount) return std::nullopt;
  std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(*head_count * 2),
            address.bytes.end(), uint8_t{0});
  std::copy_n(tail.begin(), *tail_count * 2,
              address.bytes.end() - static_cast<std::ptrdiff_t>(*tail_count * 2));
  return address;
}

}  // namespace

std::optional<IpAddress> ParseIpAddress(std::string_view text) {
  IpAddress address;
  address.length = 4;
  if (ParseIpV4(text, address.bytes)) return address;
  if (text.find(':') == std::string_view::npos) return std::nullopt;
  return ParseIpV6(text);
}

bool IsDnsNameMatch(std::string_view pattern, std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (pattern.empty() || host.empty()) return false;
  if (!pattern.starts_with("*.")) return IsEqualIgnoringCase(pattern, host);
  const std::string_view parent = pattern.substr(1);  // with its dot
  const size_t dot = host.find('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  if (parent.find('*') != std::string_view::npos) return false;
  const bool has_two_labels = parent.find('.', 1) != std::string_view::npos;
  return has_two_labels && IsEqualIgnoringCase(parent, host.substr(dot));
}

}  // namespace ota::agent
