// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "agent/port/posix/posix_network.h"
#include "agent/update/fetcher.h"
#include "simulator/board/virtual_board.h"

namespace ota::tests {

/// Leads every name to this host, and can be unplugged.
class TestNetwork final : public agent::Network {
 public:
  Result<agent::ByteStream*> Connect(std::string_view host, uint16_t port) override;
  void Disconnect() override { network_.Disconnect(); }
  /// What the kernel still holds of the connection is lost; the next Connect plugs it in again.
  void Unplug() { link_.is_plugged = false; }
  void Rest() const { network_.WaitForActivity(2); }

 private:
  struct Link final : public agent::ByteStream {
    Result<size_t> Read(MutableByteSpan target) override;
    Result<size_t> Write(ByteSpan data) override;
    void Close() override { stream->Close(); }
    agent::ByteStream* stream = nullptr;
    bool is_plugged = true;
  };

  agent::PosixNetwork network_;
  Link link_;
};

/// Brings the model `big` from a server on this host into the store of a virtual board.
class TestFetching {
 public:
  /// Sees the bytes staged so far and may do harm; false ends the fetch there.
  using OnStep = std::function<bool(uint32_t staged_bytes)>;

  /// `ca` in PEM.
  Status Fetch(simulator::VirtualBoard& board, const std::string& host, uint16_t port,
               const std::string& ca, const OnStep& on_step);

  TestNetwork& network() { return network_; }
  uint64_t received_bytes() const { return received_bytes_; }

 private:
  agent::PosixClock clock_;
  agent::PosixCalendar calendar_;
  agent::PosixEntropy entropy_;
  TestNetwork network_;
  agent::Port port_{clock_, calendar_, entropy_, network_};
  agent::FetchLimits limits_ = {.backoff_first_ms = 20};
  std::array<uint8_t, 1024> buffer_ = {};
  uint64_t received_bytes_ = 0;
};

/// Bytes that no compression and no chance make alike; the same for the same seed.
std::string MakeArtifact(size_t size_bytes, uint32_t seed);

/// What the board has staged of `big`, or the name of the status.
std::string ReadStored(simulator::VirtualBoard& board);

}  // namespace ota::tests
