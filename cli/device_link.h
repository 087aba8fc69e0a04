// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/port/posix/posix_network.h"
#include "agent/transport/https_client.h"

namespace ota::cli {

/// The way from a virtual board to its server, over the host's network. One connection serves all
/// that the board asks for.
class DeviceLink {
 public:
  /// CommandError: the address is none, the CA file cannot be read.
  DeviceLink(const std::string& server_url, const std::string& ca_path);
  DeviceLink(const DeviceLink&) = delete;
  DeviceLink& operator=(const DeviceLink&) = delete;

  const agent::Port& port() const { return port_; }
  agent::HttpsClient& client() { return client_; }
  /// What stands before every path at the server.
  std::string_view prefix() const { return https_options_.server.path; }
  const std::string& server_url() const { return server_url_; }

  /// To be called between two steps that wait for the network: `activity` is any number that
  /// changes when something has moved. Rests, shortly, when nothing has for a while.
  void Pace(uint64_t activity);

  /// What to do about a failure of the network; empty: nothing in particular.
  std::string Explain(Status status) const;

 private:
  std::string server_url_;
  std::string ca_path_;
  std::vector<uint8_t> ca_;
  agent::PosixClock clock_;
  agent::PosixCalendar calendar_;
  agent::PosixEntropy entropy_;
  agent::PosixNetwork network_;
  agent::Port port_{clock_, calendar_, entropy_, network_};
  std::array<uint8_t, 2048> buffer_ = {};
  agent::HttpsOptions https_options_;
  agent::HttpsClient client_;
  uint64_t last_activity_ = 0;
  int idle_step_count_ = 0;
};

}  // namespace ota::cli
