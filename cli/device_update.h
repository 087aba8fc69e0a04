// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/transport/https_exchange.h"
#include "agent/transport/https_payload_source.h"
#include "agent/update/update_agent.h"
#include "cli/device_link.h"
#include "cli/device_trust.h"
#include "cli/fetch_display.h"
#include "simulator/board/virtual_board.h"

namespace ota::cli {

/// What became of one release, or of a name that was asked for.
struct UpdateSummary {
  std::string name;
  uint64_t sequence_number = 0;  ///< of the release; 0: there is none for this board
  Status status = Status::kOk;   ///< kAlreadyExists: nothing newer than what is installed
  FetchSummary fetch;
};

struct UpdateWish {
  std::vector<std::string> names;
  bool wants_all = false;    ///< also what else there is for this board
  bool wants_proof = false;  ///< only what is proved to be in the transparency log
};

/// Brings signed releases to a virtual board: polls, follows the root metadata, and takes what
/// verifies and nothing else.
class DeviceUpdate final : private agent::UpdateObserver {
 public:
  /// All must outlive it.
  DeviceUpdate(simulator::VirtualBoard& board, DeviceLink& link, DeviceTrust& trust,
               FetchDisplay& display, std::span<const agent::DecryptionKey> keys);

  /// One poll and all that follows; a summary for each name that was asked for and each other
  /// release. CommandError: the poll failed, or the power did.
  std::vector<UpdateSummary> Run(const UpdateWish& wish);

  /// Trusted time of the poll, seconds since 1970.
  uint64_t now_s() const { return now_s_; }

  /// What to do about a release that was refused or is not there; empty: nothing in particular.
  std::string Explain(const UpdateSummary& summary) const;

 private:
  static constexpr size_t kEnvelopeBytesMax = 8192;

  void OnPolled(uint64_t now_s, uint32_t offer_count) override;
  void OnOffer(const formats::ComponentSequence& release) override;
  void OnReleaseEnd(const formats::ComponentSequence& release, Status status) override;
  void Drive();
  uint64_t Activity() const;
  void AddUntouched(const UpdateWish& wish);
  std::string Explain(Status status) const;
  std::string ExplainAbsence(const std::string& name) const;
  [[noreturn]] void ThrowPollFailure(Status status);

  simulator::VirtualBoard& board_;
  DeviceLink& link_;
  DeviceTrust& trust_;
  FetchDisplay& display_;
  agent::HttpsExchange exchange_;
  agent::HttpsPayloadSource source_;
  agent::PayloadStage stage_;
  agent::Fetcher fetcher_;
  std::array<uint8_t, agent::Poller::kAnswerBytes> answer_ = {};
  std::array<uint8_t, kEnvelopeBytesMax> envelope_ = {};
  storage::ModelRotation rotation_;
  agent::UpdateAgent agent_;
  uint64_t now_s_ = 0;
  std::vector<UpdateSummary> summaries_;
};

}  // namespace ota::cli
