// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace ota::agent {

/// A connected, ordered stream of bytes in both directions (TCP, TLS over it, a simulated link).
/// Never waits: short reads and writes are normal.
class ByteStream {
 public:
  /// Reads at most `target.size()` bytes, at least one; returns how many. An empty `target` is
  /// kInvalidArgument.
  /// kBusy: nothing has arrived; try again. kEndOfInput: the peer closed in order; nothing will
  /// come. kConnectionLost, kTlsFailed and what the stream's own docs add: the stream is dead.
  virtual Result<size_t> Read(MutableByteSpan target) = 0;

  /// Takes at most `data.size()` bytes, at least one; returns how many were taken.
  /// kBusy: none could be taken; try again. Others as Read.
  virtual Result<size_t> Write(ByteSpan data) = 0;

  /// Ends the stream at once; what was taken may not arrive. May be called again.
  virtual void Close() = 0;

 protected:
  ~ByteStream() = default;
};

}  // namespace ota::agent
