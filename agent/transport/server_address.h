// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace ota::agent {

/// Where a server is, as parts of the text it was read from.
struct ServerAddress {
  std::string_view host;  ///< without brackets
  uint16_t port = 443;
  std::string_view authority;  ///< host and port as they stood there, for a Host header
  std::string_view path;       ///< prefix of every path at the server; empty, or starts with '/'
};

/// Reads `https://HOST[:PORT][/PATH]`; an IPv6 address stands in brackets. The text must outlive
/// the result. A '/' at the end is dropped.
/// kUrlInvalid: it is no such address.
Result<ServerAddress> ParseServerAddress(std::string_view url);

}  // namespace ota::agent
