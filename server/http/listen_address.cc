// SPDX-License-Identifier: Apache-2.0
#include "server/http/listen_address.h"

#include <charconv>

namespace ota::server {

Expected<ListenAddress> ParseListenAddress(std::string_view text) {
  const Error error{"\"" + std::string(text) +
                    "\" is no address to listen on; give HOST:PORT, e.g. 127.0.0.1:8443, "
                    "[::1]:8443, or port 0 for any free one"};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return error;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return error;
  }
  ListenAddress address{.host = std::string(host), .port = 0};
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (host.empty() || failed != std::errc() || end != port.data() + port.size()) return error;
  return address;
}

std::string HostAndPort(std::string_view host, uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  const std::string shown = is_ipv6 ? "[" + std::string(host) + "]" : std::string(host);
  return shown + ":" + std::to_string(port);
}

}  // namespace ota::server
