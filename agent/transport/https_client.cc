// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/https_client.h"

namespace ota::agent {

HttpsClient::HttpsClient(const Port& port, const HttpsOptions& options, MutableByteSpan buffer)
    : port_(port), options_(options), tls_(port.entropy), http_(buffer) {}

void HttpsClient::Start(const HttpRequest& request) {
  if (state_ != State::kResting) Close();
  request_ = request;
  request_.host = options_.server.authority;
  is_reused_ = state_ == State::kResting;
  if (is_reused_ && IsOk(http_.Start(tls_, request_))) {
    state_ = State::kExchanging;
    return;
  }
  Close();
  state_ = State::kConnecting;
}

void HttpsClient::Close() {
  tls_.Close();
  port_.network.Disconnect();
  state_ = State::kClosed;
}

Result<HttpClient::Event> HttpsClient::Step() {
  Status status = Status::kWrongState;
  switch (state_) {
    case State::kConnecting:
      status = Connect();
      break;
    case State::kHandshaking:
      status = ShakeHands();
      break;
    case State::kExchanging:
      return Exchange();
    case State::kClosed:
    case State::kResting:
      return Status::kWrongState;
  }
  if (IsOk(status) || status == Status::kBusy) return Status::kBusy;
  Close();
  return status;
}

Status HttpsClient::Connect() {
  OTA_TRY(ByteStream* const transport,
          port_.network.Connect(options_.server.host, options_.server.port));
  OTA_TRY(tls_.Open(*transport, {.host = options_.server.host,
                                 .ca = options_.ca,
                                 .unix_time_s = port_.calendar.unix_time_s(),
                                 .fragment_bytes_max = options_.fragment_bytes_max}));
  state_ = State::kHandshaking;
  return Status::kOk;
}

Status HttpsClient::ShakeHands() {
  OTA_TRY(tls_.Handshake());
  OTA_TRY(http_.Start(tls_, request_));
  state_ = State::kExchanging;
  return Status::kOk;
}

Result<HttpClient::Event> HttpsClient::Exchange() {
  const Result<HttpClient::Event> event = http_.Step();
  if (event.status() == Status::kBusy) return Status::kBusy;
  if (!event.ok()) {
    Close();
    // A server may end an idle connection just when it is used again: that is no failure.
    const bool was_stale = is_reused_ && event.status() == Status::kConnectionLost;
    if (!was_stale) return event.status();
    is_reused_ = false;
    state_ = State::kConnecting;
    return Status::kBusy;
  }
  is_reused_ = false;
  if (event->kind == HttpClient::EventKind::kEnd) {
    state_ = State::kResting;
    if (!http_.head().keeps_connection) Close();
  }
  return event;
}

}  // namespace ota::agent
