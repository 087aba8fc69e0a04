// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_source.h"

// Requests and responses as the rest of the server sees them: plain structs, free of any network
// library, so that everything but moving bytes is tested without a socket.

namespace ota::server {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;  ///< As sent, e.g. "GET".
  std::string path;    ///< Percent-decoded, without the query; starts with '/'.
  std::string query;   ///< What stands behind '?', as sent.
  std::vector<Header> headers;
  std::string remote;  ///< Address and port of the peer, for the log.

  bool is_read() const { return method == "GET" || method == "HEAD"; }

  /// Values of all headers of that name (any case), joined by ", "; nothing if there is none.
  std::optional<std::string> FindHeader(std::string_view name) const;
};

/// Part of a source that is sent as a body.
struct SourceBody {
  std::shared_ptr<ByteSource> source;
  uint32_t offset = 0;
  uint32_t length = 0;
};

struct Response {
  int status = 200;
  /// All but Content-Length, Date, Server and Connection, which the connection adds.
  std::vector<Header> headers;
  std::variant<std::string, SourceBody> body;

  uint64_t body_bytes() const;
  void AddHeader(std::string name, std::string value) {
    headers.push_back({std::move(name), std::move(value)});
  }
};

/// Takes the body of one request as it arrives. Destroyed without Finish: the peer went away or was
/// refused, and nothing may remain of it.
class BodySink {
 public:
  using Answer = std::function<void(Response)>;

  virtual ~BodySink() = default;
  /// Most bytes that will be taken; a longer body is refused with 413.
  virtual uint64_t bytes_max() const = 0;
  /// Takes the next bytes. A Response ends the request early with it.
  virtual std::optional<Response> Append(ByteSpan bytes) = 0;
  /// The body is complete. Calls `answer` once, at once or later, from any thread; the sink lives
  /// until then.
  virtual void Finish(const Answer& answer) = 0;
};

/// What a handler says to the head of a request: the answer, or who takes the body first. A body
/// that comes with a request that is answered at once is not read.
using Reply = std::variant<Response, std::unique_ptr<BodySink>>;

/// Anything that answers requests. Called by several threads at once; may block on disk.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual Reply Handle(const Request& request) = 0;
};

/// A JSON answer that says what is wrong and what to do, e.g. {"error": {"status": 404, "what": …,
/// "do": …}}. `name` is the name of the status with which a device would refuse it; empty: none.
Response ErrorResponse(int status, std::string_view what, std::string_view remedy,
                       std::string_view name = {});

/// The reason phrase, e.g. "Not Found".
std::string_view ReasonPhrase(int status);

/// The start line and headers, up to and with the empty line.
std::string ResponseHead(const Response& response, bool is_keep_alive, std::string_view date);

/// Splits the target of a request line into path and query, in origin or absolute form.
/// kInvalidArgument: neither form, bad percent-encoding, or a control character.
Status DecodeTarget(std::string_view target, Request& request);

}  // namespace ota::server
