// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/transport/byte_stream.h"
#include "agent/transport/http_response.h"

namespace ota::agent {

struct HttpRequest {
  using Method = HttpResponseParser::RequestMethod;

  Method method = Method::kGet;
  std::string_view host = {};    ///< for the Host header, with the port if it is not 443
  std::string_view target = {};  ///< origin form: starts with '/'
  std::optional<uint64_t> range_first = {};  ///< asks for the bytes from here on
  std::string_view if_range = {};            ///< with a range: only if this validator still holds
  std::string_view content_type = {};        ///< with a body
  std::string_view authorization = {};       ///< value of that header; empty: none
  ByteSpan body = {};                        ///< only with kPost
};

/// Writes the header section of `request` into `target` and returns it.
/// kInvalidArgument: a field has a control character or a blank where none may be, or `target` does
/// not start with '/'. kBufferTooSmall.
Result<ByteSpan> EncodeHttpRequest(const HttpRequest& request, MutableByteSpan target);

/// One exchange at a time over a connected stream, in small steps that never wait:
///
///   OTA_TRY(client.Start(request));
///   for (;;) {
///     const Result<HttpClient::Event> event = client.Step();
///     if (event.status() == Status::kBusy) return;  // come back later
///     …
///   }
///
/// After the end of an answer with keeps_connection() the next exchange may Start on the same
/// stream.
class HttpClient {
 public:
  enum class EventKind : uint8_t { kHead, kBody, kEnd };
  struct Event {
    EventKind kind;
    ByteSpan body;  ///< with kBody; lives until the next Step()
  };

  /// `buffer` holds the request while it is sent and the bytes of the answer afterwards; 512 bytes
  /// will do, more means fewer steps. It must outlive the client.
  explicit HttpClient(MutableByteSpan buffer) : buffer_(buffer) {}

  /// Gets ready to send `request` over `stream`, which must outlive the exchange; the body of the
  /// request too. The other fields are copied. Statuses as EncodeHttpRequest.
  Status Start(ByteStream& stream, const HttpRequest& request);

  /// Goes on with the exchange. One kHead, any number of kBody, one kEnd.
  /// kBusy: nothing can be done now. kConnectionLost: the peer closed before the answer was
  /// complete. Others as ByteStream and HttpResponseParser; the exchange is dead then. kWrongState:
  /// none is under way.
  Result<Event> Step();

  /// What the answer's header section said; from kHead on.
  const HttpHead& head() const { return parser_.head(); }
  uint64_t remaining_body_bytes() const { return parser_.remaining_body_bytes(); }

 private:
  enum class State : uint8_t { kIdle, kSendingHead, kSendingBody, kReceiving };

  Status Send();
  Result<Event> Receive();
  Result<Event> Fail(Status why);

  MutableByteSpan buffer_;
  ByteStream* stream_ = nullptr;
  State state_ = State::kIdle;
  ByteSpan unsent_;
  ByteSpan unsent_body_;
  ByteSpan unparsed_;
  bool is_head_told_ = false;
  HttpResponseParser parser_;
};

}  // namespace ota::agent
