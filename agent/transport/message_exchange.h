// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace ota::agent {

/// One small message to the server, and its answer as a whole. HTTPS has one; tests have theirs.
/// Never waits.
class MessageExchange {
 public:
  /// Gets ready to post `message` to `path`, or to get what is at `path` if the message is empty;
  /// an earlier exchange is given up. Both must live until the end of the exchange.
  virtual void Start(std::string_view path, ByteSpan message) = 0;

  /// Goes on; the answer is collected in `target`, which must be the same each time. Returns its
  /// length at the end.
  /// kBusy: nothing can be done now. kNotFound: the server has nothing there. kPayloadTooLarge: the
  /// answer does not fit. kTimedOut: it took too long as a whole. Others as the transport. All but
  /// kBusy end the exchange.
  virtual Result<uint32_t> Step(MutableByteSpan target) = 0;

  /// Gives the exchange up, and the connection.
  virtual void Close() = 0;

 protected:
  ~MessageExchange() = default;
};

}  // namespace ota::agent
