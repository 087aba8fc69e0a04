// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netdb.h>

#include <string>

#include "agent/port/port.h"

// The port of a board that is a POSIX host: sockets that never block, name resolution in the
// background, the host's clocks and randomness. Not part of the device library.

namespace ota::agent {

/// One TCP connection over POSIX sockets. Tries the addresses of a name one after the other.
class PosixNetwork final : public Network {
 public:
  PosixNetwork() = default;
  ~PosixNetwork();
  PosixNetwork(const PosixNetwork&) = delete;
  PosixNetwork& operator=(const PosixNetwork&) = delete;

  Result<ByteStream*> Connect(std::string_view host, uint16_t port) override;
  void Disconnect() override;

  /// Sleeps until the connection has something to do, or `timeout_ms` have passed: for loops on a
  /// host that would otherwise spin on kBusy.
  void WaitForActivity(uint32_t timeout_ms) const;

 private:
  enum class State : uint8_t { kIdle, kResolving, kConnecting, kConnected };

  class Stream final : public ByteStream {
   public:
    Result<size_t> Read(MutableByteSpan target) override;
    Result<size_t> Write(ByteSpan data) override;
    void Close() override;
    int socket = -1;
  };

  Status StartResolving(std::string_view host, uint16_t port);
  Status Resolve();
  Status StartConnecting();
  Status FinishConnecting();
  Status TryNextAddress(Status why);
  void FreeAddresses();

  State state_ = State::kIdle;
  std::string host_;
  std::string service_;
  addrinfo hints_ = {};
  gaicb lookup_ = {};
  bool is_looking_up_ = false;
  addrinfo* addresses_ = nullptr;
  addrinfo* candidate_ = nullptr;
  Stream stream_;
};

class PosixClock final : public Clock {
 public:
  uint64_t now_ms() const override;
};

class PosixCalendar final : public Calendar {
 public:
  std::optional<int64_t> unix_time_s() const override;
};

class PosixEntropy final : public Entropy {
 public:
  Status Fill(MutableByteSpan target) override;
};

}  // namespace ota::agent
