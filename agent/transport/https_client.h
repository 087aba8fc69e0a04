// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/port/port.h"
#include "agent/transport/http_client.h"
#include "agent/transport/server_address.h"
#include "agent/transport/tls_stream.h"

namespace ota::agent {

struct HttpsOptions {
  ServerAddress server;
  ByteSpan ca;  ///< as TlsOptions
  uint16_t fragment_bytes_max = 2048;
};

/// HTTP exchanges with one server over TLS: connects, shakes hands, talks, and keeps the connection
/// for the next exchange while the server does. One exchange at a time; nothing waits.
class HttpsClient {
 public:
  /// `port`, `options`' texts and `buffer` (as HttpClient) must outlive the client. While it is
  /// connected, the network belongs to it.
  HttpsClient(const Port& port, const HttpsOptions& options, MutableByteSpan buffer);

  /// Gets ready for an exchange. What `request` points to must live until its kHead, and its body
  /// until kEnd; `request.host` is set here. An exchange under way is given up.
  void Start(const HttpRequest& request);

  /// Goes on. As HttpClient::Step, and besides what Network::Connect and TlsStream answer.
  Result<HttpClient::Event> Step();

  const HttpHead& head() const { return http_.head(); }

  /// Whether TCP and TLS are up; for messages.
  bool is_connected() const { return state_ == State::kExchanging || state_ == State::kResting; }

  /// Ends the exchange and the connection.
  void Close();

 private:
  /// kResting: connected, no exchange under way.
  enum class State : uint8_t { kClosed, kConnecting, kHandshaking, kExchanging, kResting };

  Status Connect();
  Status ShakeHands();
  Result<HttpClient::Event> Exchange();

  const Port& port_;
  HttpsOptions options_;
  TlsStream tls_;
  HttpClient http_;
  HttpRequest request_;
  State state_ = State::kClosed;
  bool is_reused_ = false;  ///< the connection served an exchange before this one
};

}  // namespace ota::agent
