// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/transport/https_payload_source.h"
#include "cli/device_link.h"
#include "cli/fetch_display.h"
#include "simulator/board/virtual_board.h"

namespace ota::cli {

/// Fetches models for a virtual board without any proof of who made them: what comes is what the
/// server sent, no more. For `device --insecure`.
class DeviceFetch {
 public:
  /// All must outlive it.
  DeviceFetch(simulator::VirtualBoard& board, DeviceLink& link, FetchDisplay& display)
      : board_(board), link_(link), display_(display), source_(link.client(), link.prefix()) {}

  /// Fetches /models/NAME.tflite, stores it under `name` and takes it into use.
  /// CommandError: what went wrong, where, and what to do.
  FetchSummary Fetch(const std::string& name);

 private:
  void Drive(agent::Fetcher& fetcher, const std::string& name);
  void TakeIntoUse(const std::string& name);
  [[noreturn]] void Throw(Status status, const std::string& name, const agent::Fetcher& fetcher);
  std::string Explain(Status status, const agent::Fetcher& fetcher);

  simulator::VirtualBoard& board_;
  DeviceLink& link_;
  FetchDisplay& display_;
  agent::HttpsPayloadSource source_;
};

/// To be thrown where the board's power is off, as FetchDisplay was told.
[[noreturn]] void ThrowPowerCut(uint64_t after_bytes);

}  // namespace ota::cli
