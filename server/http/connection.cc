// SPDX-License-Identifier: Apache-2.0
#include "server/http/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <exception>
#include <optional>

namespace ota::server {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kWriteBytes = 16 * 1024;  // One TLS record.
constexpr size_t kReadBytes = 4 * 1024;
constexpr size_t kBodyBlockBytes = 64 * 1024;
constexpr size_t kTargetBytesMax = 2048;
constexpr size_t kDrainBytesMax = 1024 * 1024;
constexpr std::chrono::milliseconds kCloseMax{2000};

// A coroutine that rests until it is given the answer.
template <typename Handler>
struct Pending {
  explicit Pending(Handler taken) : handler(std::move(taken)) {}
  Handler handler;
  std::atomic<bool> is_answered = false;
};

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string DateText() {
  const time_t now = time(nullptr);
  struct tm parts;
  gmtime_r(&now, &parts);
  char text[64];
  return std::string(text, strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
}

std::string RemoteText(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "-";
  const std::string address = endpoint.address().to_string();
  const std::string shown = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return shown + ":" + std::to_string(endpoint.port());
}

Response MidwayError(Status status) {
  const bool is_replaced = status == Status::kArtifactChanged;
  Response response = is_replaced
                          ? ErrorResponse(503, "what you asked for is being replaced", "ask again")
                          : ErrorResponse(500, "what you asked for cannot be read from the disk",
                                          "tell the operator of this server");
  if (is_replaced) response.AddHeader("Retry-After", "1");
  return response;
}

Response ServerError(std::string_view why) {
  return ErrorResponse(500, "the server failed: " + std::string(why),
                       "tell the operator of this server");
}

// What forbids to hand the request to the handler, whatever its path.
std::optional<Response> RefuseRequest(const Request& request) {
  const std::optional<std::string> host = request.FindHeader("Host");
  if (!host || host->find(',') != std::string::npos) {
    return ErrorResponse(400, "the request has no Host header, or several", "send one");
  }
  const std::optional<std::string> expect = request.FindHeader("Expect");
  if (expect && *expect != "100-continue") {
    return ErrorResponse(417, "the expectation " + *expect + " cannot be met", "send no Expect");
  }
  return std::nullopt;
}

}  // namespace

Connection::Connection(Tcp::socket socket, std::shared_ptr<asio::ssl::context> tls,
                       ConnectionContext& context)
    : stream_(std::move(socket), *tls),
      tls_(std::move(tls)),
      context_(context),
      remote_(RemoteText(stream_.next_layer())),
      buffer_(context.limits.header_bytes_max + 2 * kReadBytes),
      watchdog_(stream_.get_executor()),
      deadline_(steady_clock::time_point::max()) {}

Connection::Awaitable<void> Connection::Run() {
  const auto self = shared_from_this();
  ArmWatchdog();
  const bool is_open = co_await Handshake();
  if (is_open) {
    Persistence persistence = Persistence::kKeepAlive;
    while (persistence == Persistence::kKeepAlive) persistence = co_await ServeRequest();
    co_await Close();
  }
  is_over_ = true;
  watchdog_.cancel();
  ErrorCode ignored;
  stream_.next_layer().close(ignored);
}

Connection::Awaitable<bool> Connection::Handshake() {
  SetDeadline(context_.limits.handshake_max);
  request_start_ = steady_clock::now();
  const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
  if (!error) co_return true;
  record_ = AccessRecord{};
  const bool has_left = error == asio::error::eof || error == asio::error::connection_reset;
  if (is_timed_out_) Log("the TLS handshake took too long");
  if (!is_timed_out_ && !has_left) Log("the TLS handshake failed: " + error.message());
  co_return false;
}

Connection::Awaitable<Connection::Persistence> Connection::ServeRequest() {
  record_ = AccessRecord{};
  is_body_unread_ = false;
  if (co_await WaitForRequest()) co_return Persistence::kClose;

  request_start_ = steady_clock::now();
  SetDeadline(context_.limits.header_max);
  Parser parser;
  if (const ErrorCode error = co_await ReadHead(parser)) co_return co_await RefuseHead(error);
  ClearDeadline();
  ++request_count_;
  record_.method = View(parser.get().method_string());
  record_.target = View(parser.get().target());
  record_.agent = View(parser.get()[http::field::user_agent]);
  is_body_unread_ = parser.chunked() || parser.content_length().value_or(0) > 0;

  const Request request = MakeRequest(parser);
  Response response = co_await Answer(parser, request);
  const bool is_last = !parser.get().keep_alive() || is_body_unread_ || context_.is_stopping ||
                       request_count_ >= context_.limits.requests_per_connection_max;
  const Persistence persistence = is_last ? Persistence::kClose : Persistence::kKeepAlive;
  const bool has_body = request.method != "HEAD";
  const bool is_sent = co_await Send(response, has_body, persistence);
  Log(is_sent ? "" : is_timed_out_ ? "the peer took too long to read" : "not sent completely");
  co_return is_sent ? persistence : Persistence::kClose;
}

Connection::Awaitable<Connection::ErrorCode> Connection::WaitForRequest() {
  if (buffer_.size() > 0) co_return ErrorCode();
  SetDeadline(context_.limits.idle_max);
  const auto now = steady_clock::now().time_since_epoch();
  idle_since_ms_ = std::chrono::duration_cast<Milliseconds>(now).count();
  ErrorCode error = asio::error::operation_aborted;
  if (!context_.is_stopping) error = co_await ReadMore();
  idle_since_ms_ = 0;
  co_return error;
}

Connection::Awaitable<Connection::ErrorCode> Connection::ReadMore() {
  const size_t room = std::min(kReadBytes, buffer_.max_size() - buffer_.size());
  if (room == 0) co_return http::error::buffer_overflow;
  const auto [error, count] = co_await stream_.async_read_some(buffer_.prepare(room), kAwait);
  buffer_.commit(count);
  co_return error;
}

Connection::Awaitable<Connection::ErrorCode> Connection::ReadHead(Parser& parser) {
  parser.header_limit(context_.limits.header_bytes_max);
  parser.body_limit(boost::none);  // The sink of the body sets its limit.
  for (;;) {
    ErrorCode error;
    buffer_.consume(parser.put(buffer_.data(), error));
    if (parser.is_header_done()) co_return ErrorCode();
    if (error && error != http::error::need_more) co_return error;
    error = co_await ReadMore();
    if (error) co_return error;
  }
}

Connection::Awaitable<Connection::Persistence> Connection::RefuseHead(ErrorCode error) {
  std::optional<Response> response;
  if (is_timed_out_) {
    response = ErrorResponse(
        408, "the head of the request took too long",
        "send it within " + std::to_string(context_.limits.header_max.count()) + " ms");
  } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    response = ErrorResponse(
        431, "the head of the request is too long",
        "keep it below " + std::to_string(context_.limits.header_bytes_max) + " bytes");
  } else if (error == http::error::bad_version) {
    response = ErrorResponse(505, "the version of HTTP is not spoken here", "use HTTP/1.1");
  } else if (error.category() == ErrorCode(http::error::bad_value).category()) {
    response = ErrorResponse(400, "this is not a request of HTTP/1.1: " + error.message(),
                             "send a well-formed one");
  }
  if (!response) co_return Persistence::kClose;  // The peer left.
  is_body_unread_ = true;
  is_timed_out_ = false;
  const bool is_sent = co_await Send(*response, true, Persistence::kClose);
  Log(is_sent ? "" : "not sent completely");
  co_return Persistence::kClose;
}

Request Connection::MakeRequest(const Parser& parser) const {
  Request request;
  request.method = View(parser.get().method_string());
  request.remote = remote_;
  for (const auto& field : parser.get()) {
    request.headers.push_back(
        {std::string(View(field.name_string())), std::string(View(field.value()))});
  }
  return request;
}

template <typename Function>
auto Connection::OnWorker(Function function) -> Awaitable<decltype(function())> {
  return asio::co_spawn(
      context_.workers,
      [](Function work) -> Awaitable<decltype(function())> {
        co_return work();
      }(std::move(function)),
      asio::use_awaitable);
}

Connection::Awaitable<Response> Connection::Answer(Parser& parser, const Request& head) {
  Request request = head;
  const auto target = View(parser.get().target());
  if (target.size() > kTargetBytesMax) {
    co_return ErrorResponse(414, "the target of the request is too long", "shorten it");
  }
  if (!IsOk(DecodeTarget(target, request))) {
    co_return ErrorResponse(400, "the target of the request is malformed",
                            "send an absolute path with valid percent-encoding");
  }
  if (parser.get().version() >= 11 || request.FindHeader("Host")) {
    if (std::optional<Response> refusal = RefuseRequest(request)) co_return std::move(*refusal);
  }
  std::string failure;
  try {
    Reply reply = co_await OnWorker([&] { return context_.handler.Handle(request); });
    if (auto* response = std::get_if<Response>(&reply)) co_return std::move(*response);
    BodySink& sink = *std::get<std::unique_ptr<BodySink>>(reply);
    co_return co_await TakeBody(parser, sink);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  co_return ServerError(failure);
}

Connection::Awaitable<Response> Connection::TakeBody(Parser& parser, BodySink& sink) {
  const uint64_t bytes_max = sink.bytes_max();
  const auto too_long = [bytes_max] {
    return ErrorResponse(413, "the body is longer than is taken here",
                         "send at most " + std::to_string(bytes_max) + " bytes");
  };
  if (parser.content_length().value_or(0) > bytes_max) co_return too_long();
  parser.body_limit(bytes_max);
  const auto expect = parser.get().find(http::field::expect);
  if (expect != parser.get().end() && is_body_unread_) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!co_await Write(kContinue.data(), kContinue.size())) co_return ServerError("not sent");
  }
  block_.resize(kBodyBlockBytes);
  while (!parser.is_done()) {
    size_t filled = 0;
    const ErrorCode error = co_await FillBlock(parser, filled);
    if (error == http::error::body_limit) co_return too_long();
    if (error && is_timed_out_) {
      is_timed_out_ = false;
      co_return ErrorResponse(408, "the body came too slowly", "send it again, faster");
    }
    if (error) {
      co_return ErrorResponse(400, "the body is malformed or incomplete: " + error.message(),
                              "send it again");
    }
    std::optional<Response> refusal =
        co_await OnWorker([&] { return sink.Append(ByteSpan(block_).first(filled)); });
    if (refusal) co_return std::move(*refusal);
  }
  is_body_unread_ = false;
  co_return co_await FinishBody(sink);
}

// Lets a worker finish the sink, and rests until somebody has called its answer.
Connection::Awaitable<Response> Connection::FinishBody(BodySink& sink) {
  const auto initiate = [this, &sink](auto handler) {
    auto work = asio::make_work_guard(asio::get_associated_executor(handler));
    auto pending = std::make_shared<Pending<decltype(handler)>>(std::move(handler));
    const BodySink::Answer answer = [pending, work](Response response) {
      if (pending->is_answered.exchange(true)) return;
      asio::post(work.get_executor(), [pending, response = std::move(response)]() mutable {
        std::move(pending->handler)(std::move(response));
      });
    };
    asio::post(context_.workers, [&sink, answer] {
      try {
        sink.Finish(answer);
      } catch (const std::exception& error) {
        answer(ServerError(error.what()));
      }
    });
  };
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(Response)>(
      initiate, asio::use_awaitable);
}

Connection::Awaitable<Connection::ErrorCode> Connection::FillBlock(Parser& parser, size_t& filled) {
  auto& body = parser.get().body();
  body.data = block_.data();
  body.size = block_.size();
  ErrorCode error;
  while (!parser.is_done() && body.size > 0) {
    buffer_.consume(parser.put(buffer_.data(), error));
    if (error && error != http::error::need_more && error != http::error::need_buffer) break;
    const bool is_starved = error == http::error::need_more || buffer_.size() == 0;
    error = {};
    if (parser.is_done() || body.size == 0 || !is_starved) continue;
    SetDeadline(context_.limits.progress_max);
    error = co_await ReadMore();
    if (error) break;
  }
  ClearDeadline();
  filled = block_.size() - body.size;
  co_return error;
}

Connection::Awaitable<bool> Connection::Send(Response& response, bool has_body,
                                             Persistence persistence) {
  record_.status = response.status;
  std::string head = ResponseHead(response, persistence == Persistence::kKeepAlive, DateText());
  if (has_body && std::holds_alternative<SourceBody>(response.body)) {
    co_return co_await SendSource(std::move(head), response, persistence);
  }
  const size_t head_bytes = head.size();
  if (has_body) head += std::get<std::string>(response.body);
  const bool is_sent = co_await Write(head.data(), head.size());
  if (is_sent) record_.sent_bytes = head.size() - head_bytes;
  co_return is_sent;
}

Connection::Awaitable<bool> Connection::SendSource(std::string head, Response& response,
                                                   Persistence persistence) {
  const SourceBody body = std::get<SourceBody>(response.body);
  block_.resize(kWriteBytes);
  uint32_t sent_bytes = 0;
  if (body.length == 0) co_return co_await Write(head.data(), head.size());
  while (sent_bytes < body.length) {
    const size_t room = kWriteBytes - (sent_bytes == 0 ? head.size() : 0);
    const auto count = static_cast<uint32_t>(std::min<size_t>(room, body.length - sent_bytes));
    uint8_t* const data = block_.data() + (kWriteBytes - room);
    const Status status = body.source->Read(body.offset + sent_bytes, {data, count});
    if (status != Status::kOk && sent_bytes == 0) {
      Response error = MidwayError(status);
      co_return co_await Send(error, true, persistence);
    }
    if (status != Status::kOk) co_return false;  // The peer sees a body that is too short.
    if (sent_bytes == 0) std::copy(head.begin(), head.end(), block_.begin());
    const size_t write_bytes = count + (kWriteBytes - room);
    if (!co_await Write(reinterpret_cast<const char*>(block_.data()), write_bytes)) co_return false;
    sent_bytes += count;
    record_.sent_bytes = sent_bytes;
  }
  co_return true;
}

Connection::Awaitable<bool> Connection::Write(const char* data, size_t length) {
  while (length > 0) {
    SetDeadline(context_.limits.progress_max);
    const size_t part = std::min(length, kWriteBytes);
    const auto [error, count] =
        co_await asio::async_write(stream_, asio::buffer(data, part), kAwait);
    if (error) co_return false;
    data += count;
    length -= count;
  }
  ClearDeadline();
  co_return true;
}

// Says goodbye, then waits for the peer to do so, so that the last answer is not lost to a reset
// caused by bytes that the peer sent and nobody read.
Connection::Awaitable<void> Connection::Close() {
  SetDeadline(kCloseMax);
  (void)co_await stream_.async_shutdown(kAwait);  // The peer may be gone; nothing depends on it.
  ErrorCode error;
  stream_.next_layer().shutdown(Tcp::socket::shutdown_send, error);
  size_t drained = 0;
  block_.resize(kWriteBytes);
  while (!error && is_body_unread_ && !is_timed_out_ && drained < kDrainBytesMax) {
    const auto [read_error, count] =
        co_await stream_.next_layer().async_read_some(asio::buffer(block_), kAwait);
    error = read_error;
    drained += count;
  }
}

void Connection::CloseWhenIdle() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    ErrorCode ignored;
    if (self->is_idle()) self->stream_.next_layer().cancel(ignored);
  });
}

void Connection::CloseNow() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    ErrorCode ignored;
    self->stream_.next_layer().close(ignored);
  });
}

void Connection::Log(std::string_view note) {
  record_.remote = remote_;
  record_.note = note;
  record_.duration =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - request_start_);
  context_.log.Append(record_);
}

void Connection::SetDeadline(Milliseconds from_now) {
  deadline_ = steady_clock::now() + from_now;
  if (deadline_ < watchdog_.expiry()) ArmWatchdog();
}

void Connection::ClearDeadline() { deadline_ = steady_clock::time_point::max(); }

void Connection::ArmWatchdog() {
  watchdog_.expires_at(deadline_);
  watchdog_.async_wait([self = shared_from_this()](ErrorCode error) { self->OnWatchdog(error); });
}

void Connection::OnWatchdog(ErrorCode error) {
  if (error || is_over_) return;  // Armed anew, or done.
  ErrorCode ignored;
  if (steady_clock::now() >= deadline_) {
    // What waits on the socket ends now, and may still say why; what then does not end is cut off.
    if (is_timed_out_) {
      stream_.next_layer().close(ignored);
    } else {
      stream_.next_layer().cancel(ignored);
    }
    is_timed_out_ = true;
    deadline_ = steady_clock::now() + kCloseMax;
  }
  ArmWatchdog();
}

}  // namespace ota::server
