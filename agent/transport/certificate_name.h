// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

// Who a certificate is for: how its subject alternative names compare with the host that was asked
// for. By RFC 9525 and RFC 5280 4.2.1.6.

namespace ota::agent {

/// An address in network order; 4 or 16 bytes of it count.
struct IpAddress {
  std::array<uint8_t, 16> bytes = {};
  uint8_t length = 0;

  ByteSpan span() const { return ByteSpan(bytes).first(length); }
};

/// Reads "192.0.2.1" (four decimal numbers without leading zeros) or an IPv6 address without
/// brackets or zone (RFC 4291 2.2). Nothing: it is neither.
std::optional<IpAddress> ParseIpAddress(std::string_view text);

/// Whether a dNSName of a certificate covers `host`. Letters compare without case. A `*` may stand
/// only for the whole leftmost label, and only where at least two labels follow.
bool IsDnsNameMatch(std::string_view pattern, std::string_view host);

}  // namespace ota::agent
