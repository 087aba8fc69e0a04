// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/server_address.h"

#include <algorithm>
#include <charconv>

namespace ota::agent {
namespace {

constexpr std::string_view kScheme = "https://";

bool IsHostCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._:").find(c) != std::string_view::npos;
}

bool IsPathCharacter(char c) { return c > ' ' && c < 0x7F && c != '?' && c != '#'; }

Result<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const std::from_chars_result end = std::from_chars(text.begin(), text.end(), port);
  if (end.ec != std::errc() || end.ptr != text.end() || port == 0) return Status::kUrlInvalid;
  return port;
}

}  // namespace

Result<ServerAddress> ParseServerAddress(std::string_view url) {
  if (!url.starts_with(kScheme)) return Status::kUrlInvalid;
  url.remove_prefix(kScheme.size());
  ServerAddress address;
  address.authority = url.substr(0, url.find('/'));
  address.path = url.substr(address.authority.size());
  while (address.path.ends_with('/')) address.path.remove_suffix(1);

  std::string_view rest = address.authority;
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return Status::kUrlInvalid;
    address.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    address.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(address.host.size());
  }
  if (!rest.empty()) {
    if (!rest.starts_with(':')) return Status::kUrlInvalid;
    OTA_TRY(address.port, ParsePort(rest.substr(1)));
  }
  const std::string_view host = address.host;
  if (host.empty() || !std::all_of(host.begin(), host.end(), IsHostCharacter) ||
      !std::all_of(address.path.begin(), address.path.end(), IsPathCharacter)) {
    return Status::kUrlInvalid;
  }
  return address;
}

}  // namespace ota::agent
