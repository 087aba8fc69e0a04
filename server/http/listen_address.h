// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/expected.h"

namespace ota::server {

struct ListenAddress {
  std::string host;  ///< Name, IPv4 or IPv6 address, without brackets.
  uint16_t port = 0;
};

/// Reads HOST:PORT, with an IPv6 address in brackets. Error: anything else.
Expected<ListenAddress> ParseListenAddress(std::string_view text);

/// HOST:PORT as in a URL, an IPv6 address in brackets.
std::string HostAndPort(std::string_view host, uint16_t port);

}  // namespace ota::server
