// SPDX-License-Identifier: Apache-2.0
#include "server/http/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "server/http/connection.h"
#include "server/http/listen_address.h"
#include "server/tls/tls_context.h"

namespace ota::server {

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using SharedTls = std::shared_ptr<asio::ssl::context>;

constexpr unsigned kWorkerCount = 4;
constexpr std::chrono::milliseconds kForcedStopMax{2000};
constexpr std::chrono::milliseconds kAcceptRest{100};

Expected<SharedTls> LoadTls(const HttpServerOptions& options) {
  Expected<TlsContext> context = MakeTlsContext(options.certificate_path, options.key_path);
  if (!context.ok()) return context.error();
  return std::make_shared<asio::ssl::context>(context->release());
}

Error ListenError(const HttpServerOptions& options, const ErrorCode& error) {
  const std::string remedy = error == asio::error::address_in_use
                                 ? "stop the program that has it, or give another --listen (port 0 "
                                   "takes any free one)"
                                 : "give another --listen";
  return Error{"cannot listen on " + HostAndPort(options.address, options.port) + ": " +
               error.message() + "; " + remedy};
}

/// Invariants: `connections_` holds exactly the connections whose coroutine has not ended; per
/// address at most half of connections_max, all together at most connections_max.
class AsioHttpServer final : public HttpServer {
 public:
  AsioHttpServer(const HttpServerOptions& options, RequestHandler& handler, AccessLog& log,
                 SharedTls tls)
      : options_(options),
        workers_(kWorkerCount),
        context_{.handler = handler, .log = log, .limits = options.limits, .workers = workers_},
        tls_(std::move(tls)),
        acceptor_(asio::make_strand(io_)) {}

  ~AsioHttpServer() override {
    Stop();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    workers_.stop();
    workers_.join();
  }

  Failure Listen();
  void StartThreads();

  uint16_t port() const override { return port_; }
  void Stop() override;
  Failure ReloadCertificate() override;

 private:
  asio::awaitable<void> Accept();
  void Admit(Tcp::socket socket);
  void Release(const Connection* connection, const std::string& address);
  bool HasRoom(const std::string& address);  // mutex_ is held
  void CloseOldestIdle();                    // mutex_ is held

  const HttpServerOptions options_;
  uint16_t port_ = 0;
  asio::thread_pool workers_;
  ConnectionContext context_;
  std::mutex mutex_;  // guards what follows, up to the blank line
  std::condition_variable released_;
  SharedTls tls_;
  std::map<const Connection*, std::shared_ptr<Connection>> connections_;
  std::map<std::string, uint32_t> counts_;  // per address
  bool has_stopped_ = false;

  asio::io_context io_;  // Behind all that its coroutines refer to, so that it goes first.
  Tcp::acceptor acceptor_;
  std::vector<std::thread> threads_;
};

Failure AsioHttpServer::Listen() {
  ErrorCode error;
  Tcp::resolver resolver(io_);
  const auto found = resolver.resolve(options_.address, std::to_string(options_.port),
                                      Tcp::resolver::passive, error);
  if (error) return ListenError(options_, error);
  const Tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return ListenError(options_, error);
  port_ = acceptor_.local_endpoint().port();
  return std::nullopt;
}

void AsioHttpServer::StartThreads() {
  asio::co_spawn(acceptor_.get_executor(), Accept(), [](std::exception_ptr) {});
  for (unsigned i = 0; i < options_.thread_count; ++i) {
    threads_.emplace_back([this] { io_.run(); });
  }
}

asio::awaitable<void> AsioHttpServer::Accept() {
  asio::steady_timer rest(acceptor_.get_executor());
  while (!context_.is_stopping) {
    Tcp::socket socket(asio::make_strand(io_));
    const auto [error] =
        co_await acceptor_.async_accept(socket, asio::as_tuple(asio::use_awaitable));
    if (!error) {
      Admit(std::move(socket));
      continue;
    }
    // Out of descriptors or memory: what is open goes on, and gives some back.
    {
      const std::lock_guard lock(mutex_);
      CloseOldestIdle();
    }
    rest.expires_after(kAcceptRest);
    co_await rest.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void AsioHttpServer::Admit(Tcp::socket socket) {
  ErrorCode error;
  const Tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;
  const std::string address = remote.address().to_string();
  socket.set_option(Tcp::no_delay(true), error);
  SharedTls tls;
  {
    const std::lock_guard lock(mutex_);
    if (!HasRoom(address)) return;  // Closing it costs less than any answer.
    tls = tls_;
    ++counts_[address];
  }
  const auto executor = socket.get_executor();
  const auto connection = std::make_shared<Connection>(std::move(socket), std::move(tls), context_);
  {
    const std::lock_guard lock(mutex_);
    connections_.emplace(connection.get(), connection);
    // Near the limit, who only waits makes room for who comes.
    if (connections_.size() * 10 >= size_t{options_.limits.connections_max} * 9) CloseOldestIdle();
  }
  asio::co_spawn(
      executor, connection->Run(),
      [this, address, raw = connection.get()](std::exception_ptr) { Release(raw, address); });
}

bool AsioHttpServer::HasRoom(const std::string& address) {
  const uint32_t connections_max = options_.limits.connections_max;
  const auto count = counts_.find(address);
  if (count != counts_.end() && count->second >= (connections_max + 1) / 2) return false;
  return connections_.size() < connections_max;
}

void AsioHttpServer::Release(const Connection* connection, const std::string& address) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  const auto count = counts_.find(address);
  if (--count->second == 0) counts_.erase(count);
  released_.notify_all();
}

void AsioHttpServer::CloseOldestIdle() {
  const std::shared_ptr<Connection>* oldest = nullptr;
  for (const auto& [raw, connection] : connections_) {
    if (!connection->is_idle()) continue;
    if (!oldest || connection->idle_since_ms() < (*oldest)->idle_since_ms()) oldest = &connection;
  }
  if (oldest) (*oldest)->CloseWhenIdle();
}

void AsioHttpServer::Stop() {
  std::unique_lock lock(mutex_);
  if (has_stopped_) return;
  has_stopped_ = true;
  context_.is_stopping = true;
  asio::post(acceptor_.get_executor(), [this] {
    ErrorCode ignored;
    acceptor_.close(ignored);
  });
  const auto is_empty = [this] { return connections_.empty(); };
  for (const auto& [raw, connection] : connections_) connection->CloseWhenIdle();
  if (released_.wait_for(lock, options_.limits.stop_max, is_empty)) return;
  for (const auto& [raw, connection] : connections_) connection->CloseNow();
  released_.wait_for(lock, kForcedStopMax, is_empty);
}

Failure AsioHttpServer::ReloadCertificate() {
  Expected<SharedTls> tls = LoadTls(options_);
  if (!tls.ok()) return tls.error();
  const std::lock_guard lock(mutex_);
  tls_ = *tls;
  return std::nullopt;
}

}  // namespace

Expected<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                        RequestHandler& handler, AccessLog& log) {
  Expected<SharedTls> tls = LoadTls(options);
  if (!tls.ok()) return tls.error();
  auto server = std::make_unique<AsioHttpServer>(options, handler, log, std::move(*tls));
  if (Failure failure = server->Listen()) return *failure;
  server->StartThreads();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace ota::server
