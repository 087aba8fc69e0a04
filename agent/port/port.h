// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/transport/byte_stream.h"
#include "base/clock.h"
#include "base/entropy.h"

// What a board must supply so that the agent can bring models to it: a clock, randomness, the way
// to a server, and, where there is one, the time of day. The memory unit comes apart from this, as
// a storage::BlockDevice under a model store.

namespace ota::agent {

/// The way to a server: one TCP connection at a time.
class Network {
 public:
  /// Starts to connect to `host` (a DNS name, an IPv4 or an IPv6 address without brackets), or goes
  /// on with what an earlier call with the same arguments started. Never waits.
  /// kBusy: name or connection is not there yet; call again. kHostNotFound, kConnectionRefused,
  /// kConnectionLost: this attempt has ended; the next call starts another. On success the stream
  /// lives until Disconnect().
  virtual Result<ByteStream*> Connect(std::string_view host, uint16_t port) = 0;

  /// Gives up the connection, or the attempt at one. May be called in any state.
  virtual void Disconnect() = 0;

 protected:
  ~Network() = default;
};

/// Time of day.
class Calendar {
 public:
  /// Seconds since 1970-01-01 00:00 UTC; nothing while the board does not know them.
  virtual std::optional<int64_t> unix_time_s() const = 0;

 protected:
  ~Calendar() = default;
};

/// All of it. What the references name must outlive the agent.
struct Port {
  const Clock& clock;
  const Calendar& calendar;
  Entropy& entropy;
  Network& network;
};

}  // namespace ota::agent
