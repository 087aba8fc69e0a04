// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace ota::agent {

/// Brings the bytes of one artifact, from some offset on. HTTPS has one; MQTT and CoAP have theirs.
/// Never waits.
class PayloadSource {
 public:
  struct Request {
    std::string_view path;  ///< of the artifact at the server
    uint32_t offset = 0;    ///< the first byte wanted
    std::string_view
        validator;  ///< with an offset: what validator() was when the earlier bytes came
  };

  enum class EventKind : uint8_t {
    kStart,  ///< total_bytes(), first_offset() and validator() are known
    kData,   ///< the next bytes
    kEnd,    ///< there are no more
  };
  struct Event {
    EventKind kind;
    ByteSpan data;  ///< with kData; lives until the next Step()
  };

  /// Gets ready; an earlier request is given up. The texts must live until kStart.
  virtual void Start(const Request& request) = 0;

  /// Goes on. One kStart, any number of kData, one kEnd.
  /// kBusy: nothing can be done now. kNotFound: the server has no such artifact. kArtifactChanged:
  /// what it has is not what the validator stands for, and it did not offer the whole instead.
  /// kHttpStatusUnexpected: see http_status(). Others as the transport: each ends the request.
  virtual Result<Event> Step() = 0;

  /// Length of the whole artifact.
  virtual uint64_t total_bytes() const = 0;
  /// Offset of the first byte that comes: as asked for, or 0 when the artifact has changed.
  virtual uint32_t first_offset() const = 0;
  /// Text that changes when the artifact does; empty if the server gives none.
  virtual std::string_view validator() const = 0;
  /// Seconds that the server asks to stay away after a refusal; 0: it did not say.
  virtual uint32_t retry_after_s() const = 0;
  /// The status of HTTP, or 0: for messages.
  virtual uint16_t http_status() const = 0;

  /// Gives the request up, and the connection.
  virtual void Close() = 0;

 protected:
  ~PayloadSource() = default;
};

}  // namespace ota::agent
