// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "agent/port/posix/posix_network.h"
#include "agent/transport/https_payload_source.h"
#include "agent/update/fetcher.h"
#include "simulator/board/virtual_board.h"

namespace ota::cli {

/// What a fetch came to.
struct FetchSummary {
  bool was_present = false;  ///< the store had this very image already
  uint32_t total_bytes = 0;
  uint64_t received_bytes = 0;  ///< over the link, over all attempts
  uint32_t resumed_at = 0;      ///< bytes that the store had from before
  uint32_t retry_count = 0;
};

/// Fetches models for a virtual board over the host's network. One connection serves them all.
class DeviceFetch {
 public:
  /// `board` must outlive it. CommandError: the address is none, the CA file cannot be read.
  DeviceFetch(simulator::VirtualBoard& board, const std::string& server_url,
              const std::string& ca_path, uint64_t cut_power_after_bytes);

  /// Fetches /models/NAME.tflite, stores it under `name` and takes it into use.
  /// CommandError: what went wrong, where, and what to do.
  FetchSummary Fetch(const std::string& name);

 private:
  void Drive(agent::Fetcher& fetcher, const std::string& name);
  void TakeIntoUse(const std::string& name);
  [[noreturn]] void Throw(Status status, const std::string& name, const agent::Fetcher& fetcher);
  std::string Explain(Status status, const agent::Fetcher& fetcher);

  simulator::VirtualBoard& board_;
  std::string server_url_;
  std::string ca_path_;
  std::vector<uint8_t> ca_;
  uint64_t cut_power_after_bytes_;
  uint64_t received_before_ = 0;
  agent::PosixClock clock_;
  agent::PosixCalendar calendar_;
  agent::PosixEntropy entropy_;
  agent::PosixNetwork network_;
  agent::Port port_{clock_, calendar_, entropy_, network_};
  std::array<uint8_t, 2048> buffer_ = {};
  agent::HttpsOptions https_options_;
  agent::HttpsClient client_;
  agent::HttpsPayloadSource source_;
};

}  // namespace ota::cli
