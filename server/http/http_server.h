// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "server/expected.h"
#include "server/http/access_log.h"
#include "server/http/message.h"

namespace ota::server {

/// What one peer, and all of them together, can make the server spend.
struct HttpLimits {
  uint32_t connections_max = 1024;              ///< All; one address may hold half of them.
  uint32_t requests_per_connection_max = 1000;  ///< Then the connection is closed in order.
  uint32_t header_bytes_max = 8 * 1024;         ///< Request line and headers together: else 431.
  std::chrono::milliseconds handshake_max{10'000};
  std::chrono::milliseconds idle_max{30'000};  ///< Between two requests.
  std::chrono::milliseconds header_max{
      10'000};  ///< From the first byte to the empty line: else 408.
  std::chrono::milliseconds progress_max{30'000};  ///< For each 16 KiB of a body, in and out.
  std::chrono::milliseconds stop_max{10'000};      ///< For what is in flight at a stop.
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6, or a name that resolves to one.
  uint16_t port = 0;                  ///< 0: the system gives one.
  std::string certificate_path;       ///< PEM: server certificate, then the chain.
  std::string key_path;               ///< PEM.
  unsigned thread_count = 2;
  HttpLimits limits;
};

/// The HTTPS front: TLS 1.2 and 1.3, HTTP/1.1. It owns connections, limits and timeouts and knows
/// no path; a RequestHandler answers. Handlers run on their own threads and may block.
class HttpServer {
 public:
  /// Binds and starts to serve. `handler` and `log` must outlive the server. Error: the address
  /// cannot be resolved or bound, the certificate or key cannot be read or do not fit each other.
  static Expected<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                     RequestHandler& handler, AccessLog& log);
  /// Stops at once, if Stop was not called before.
  virtual ~HttpServer() = default;

  /// The port that is listened on.
  virtual uint16_t port() const = 0;

  /// Takes no more connections, lets requests in flight finish within limits.stop_max, then
  /// returns.
  virtual void Stop() = 0;

  /// Reads certificate and key anew, for connections from now on. Error: the old ones stay.
  virtual Failure ReloadCertificate() = 0;
};

}  // namespace ota::server
