// SPDX-License-Identifier: Apache-2.0
#include "agent/port/posix/posix_network.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace ota::agent {
namespace {

bool IsToBeTriedAgain(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

PosixNetwork::~PosixNetwork() { Disconnect(); }

Result<ByteStream*> PosixNetwork::Connect(std::string_view host, uint16_t port) {
  Status status = Status::kOk;
  switch (state_) {
    case State::kIdle:
      status = StartResolving(host, port);
      break;
    case State::kResolving:
      status = Resolve();
      break;
    case State::kConnecting:
      status = FinishConnecting();
      break;
    case State::kConnected:
      return static_cast<ByteStream*>(&stream_);
  }
  if (!IsOk(status) && status != Status::kBusy) {
    Disconnect();
    return status;
  }
  if (state_ != State::kConnected) return Status::kBusy;
  return static_cast<ByteStream*>(&stream_);
}

Status PosixNetwork::StartResolving(std::string_view host, uint16_t port) {
  host_ = host;
  service_ = std::to_string(port);
  hints_ = {};
  hints_.ai_socktype = SOCK_STREAM;
  hints_.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  if (getaddrinfo(host_.c_str(), service_.c_str(), &hints_, &addresses_) == 0) {
    candidate_ = addresses_;
    return StartConnecting();
  }
  hints_.ai_flags = AI_NUMERICSERV;
  lookup_ = {};
  lookup_.ar_name = host_.c_str();
  lookup_.ar_service = service_.c_str();
  lookup_.ar_request = &hints_;
  gaicb* lookups[] = {&lookup_};
  if (getaddrinfo_a(GAI_NOWAIT, lookups, 1, nullptr) != 0) return Status::kHostNotFound;
  is_looking_up_ = true;
  state_ = State::kResolving;
  return Status::kBusy;
}

Status PosixNetwork::Resolve() {
  const int error = gai_error(&lookup_);
  if (error == EAI_INPROGRESS) return Status::kBusy;
  is_looking_up_ = false;
  if (error != 0) return Status::kHostNotFound;
  addresses_ = lookup_.ar_result;
  candidate_ = addresses_;
  return StartConnecting();
}

Status PosixNetwork::StartConnecting() {
  if (candidate_ == nullptr) return Status::kHostNotFound;
  stream_.socket = socket(candidate_->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (stream_.socket < 0) return TryNextAddress(Status::kConnectionLost);
  const int on = 1;
  (void)setsockopt(stream_.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // only for speed
  state_ = State::kConnecting;
  if (connect(stream_.socket, candidate_->ai_addr, candidate_->ai_addrlen) == 0) {
    state_ = State::kConnected;
    return Status::kOk;
  }
  if (errno == EINPROGRESS) return Status::kBusy;
  return TryNextAddress(errno == ECONNREFUSED ? Status::kConnectionRefused
                                              : Status::kConnectionLost);
}

Status PosixNetwork::FinishConnecting() {
  pollfd entry = {.fd = stream_.socket, .events = POLLOUT, .revents = 0};
  if (poll(&entry, 1, 0) <= 0) return Status::kBusy;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(stream_.socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error == 0) {
    state_ = State::kConnected;
    return Status::kOk;
  }
  return TryNextAddress(error == ECONNREFUSED ? Status::kConnectionRefused
                                              : Status::kConnectionLost);
}

Status PosixNetwork::TryNextAddress(Status why) {
  stream_.Close();
  candidate_ = candidate_->ai_next;
  if (candidate_ == nullptr) return why;
  return StartConnecting();
}

void PosixNetwork::FreeAddresses() {
  if (addresses_ != nullptr) freeaddrinfo(addresses_);
  addresses_ = nullptr;
  candidate_ = nullptr;
}

void PosixNetwork::Disconnect() {
  if (is_looking_up_) {
    // The lookup writes into this object until it has ended.
    gaicb* lookups[] = {&lookup_};
    if (gai_cancel(&lookup_) == EAI_NOTCANCELED) (void)gai_suspend(lookups, 1, nullptr);  // waits
    if (gai_error(&lookup_) == 0) addresses_ = lookup_.ar_result;
    is_looking_up_ = false;
  }
  FreeAddresses();
  stream_.Close();
  state_ = State::kIdle;
}

void PosixNetwork::WaitForActivity(uint32_t timeout_ms) const {
  pollfd entry = {.fd = stream_.socket, .events = POLLIN, .revents = 0};
  if (state_ == State::kConnecting) entry.events = POLLOUT;
  (void)poll(&entry, 1, static_cast<int>(timeout_ms));  // a negative descriptor only waits
}

Result<size_t> PosixNetwork::Stream::Read(MutableByteSpan target) {
  if (target.empty()) return Status::kInvalidArgument;
  if (socket < 0) return Status::kConnectionLost;
  const ssize_t count = recv(socket, target.data(), target.size(), 0);
  if (count > 0) return static_cast<size_t>(count);
  if (count == 0) return Status::kEndOfInput;
  return IsToBeTriedAgain(errno) ? Status::kBusy : Status::kConnectionLost;
}

Result<size_t> PosixNetwork::Stream::Write(ByteSpan data) {
  if (data.empty()) return Status::kInvalidArgument;
  if (socket < 0) return Status::kConnectionLost;
  const ssize_t count = send(socket, data.data(), data.size(), MSG_NOSIGNAL);
  if (count > 0) return static_cast<size_t>(count);
  return IsToBeTriedAgain(errno) ? Status::kBusy : Status::kConnectionLost;
}

void PosixNetwork::Stream::Close() {
  if (socket >= 0) close(socket);
  socket = -1;
}

uint64_t PosixClock::now_ms() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::optional<int64_t> PosixCalendar::unix_time_s() const { return std::time(nullptr); }

Status PosixEntropy::Fill(MutableByteSpan target) {
  size_t filled = 0;
  while (filled < target.size()) {
    const ssize_t count = getrandom(target.data() + filled, target.size() - filled, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Status::kEntropyUnavailable;
    filled += static_cast<size_t>(count);
  }
  return Status::kOk;
}

}  // namespace ota::agent
