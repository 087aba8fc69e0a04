// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/http/http_server.h"

// The one header with the network library in it; only connection.cc and http_server.cc include it.

namespace ota::server {

/// What all connections of a server share; outlives them.
struct ConnectionContext {
  RequestHandler& handler;
  AccessLog& log;
  const HttpLimits limits;
  boost::asio::thread_pool& workers;
  std::atomic<bool> is_stopping = false;
};

/// One TLS connection and the requests on it, one after the other. Everything but the handler runs
/// on the strand of its socket; a watchdog on the same strand ends whatever lasts too long.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  using Tcp = boost::asio::ip::tcp;
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;

  /// `socket` has a strand as its executor. `context` must outlive the connection.
  Connection(Tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> tls,
             ConnectionContext& context);

  /// Serves until the peer leaves, a limit is reached, or the server stops.
  Awaitable<void> Run();

  /// Ends the connection if no request is under way. Any thread.
  void CloseWhenIdle();
  /// Ends the connection now. Any thread.
  void CloseNow();

  /// When it began to wait for a request; meaningful while is_idle(). Any thread.
  bool is_idle() const { return idle_since_ms_ != 0; }
  int64_t idle_since_ms() const { return idle_since_ms_; }

 private:
  using ErrorCode = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  using Milliseconds = std::chrono::milliseconds;
  enum class Persistence { kKeepAlive, kClose };

  Awaitable<bool> Handshake();
  Awaitable<Persistence> ServeRequest();
  Awaitable<ErrorCode> WaitForRequest();
  Awaitable<ErrorCode> ReadHead(Parser& parser);
  Awaitable<ErrorCode> ReadMore();
  Awaitable<Response> Answer(Parser& parser, const Request& request);
  Awaitable<Response> TakeBody(Parser& parser, BodySink& sink);
  Awaitable<Response> FinishBody(BodySink& sink);
  Awaitable<ErrorCode> FillBlock(Parser& parser, size_t& filled);
  Awaitable<Persistence> RefuseHead(ErrorCode error);
  Awaitable<bool> Send(Response& response, bool has_body, Persistence persistence);
  Awaitable<bool> SendSource(std::string head, Response& response, Persistence persistence);
  Awaitable<bool> Write(const char* data, size_t length);
  Awaitable<void> Close();

  template <typename Function>
  auto OnWorker(Function function) -> Awaitable<decltype(function())>;

  Request MakeRequest(const Parser& parser) const;
  void Log(std::string_view note);
  void SetDeadline(Milliseconds from_now);
  void ClearDeadline();
  void ArmWatchdog();
  void OnWatchdog(ErrorCode error);

  boost::asio::ssl::stream<Tcp::socket> stream_;
  const std::shared_ptr<boost::asio::ssl::context> tls_;
  ConnectionContext& context_;
  std::string remote_;
  boost::beast::flat_buffer buffer_;
  std::vector<uint8_t> block_;
  uint32_t request_count_ = 0;
  bool is_body_unread_ = false;

  AccessRecord record_;
  std::chrono::steady_clock::time_point request_start_;

  boost::asio::steady_timer watchdog_;
  std::chrono::steady_clock::time_point deadline_;
  bool is_timed_out_ = false;
  bool is_over_ = false;
  std::atomic<int64_t> idle_since_ms_ = 0;
};

}  // namespace ota::server
