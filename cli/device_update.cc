// SPDX-License-Identifier: Apache-2.0
#include "cli/device_update.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/device_fetch.h"
#include "engine/operator_table.h"

namespace ota::cli {

DeviceUpdate::DeviceUpdate(simulator::VirtualBoard& board, DeviceLink& link, DeviceTrust& trust,
                           FetchDisplay& display, std::span<const agent::DecryptionKey> keys)
    : board_(board),
      link_(link),
      trust_(trust),
      display_(display),
      exchange_(link.client(), link.port().clock, link.prefix()),
      source_(link.client(), link.prefix()),
      stage_(source_, link.port().entropy, keys),
      fetcher_(link.port(), stage_, board.store(), {}, &display_),
      rotation_(board.store(), answer_),
      agent_(link.port(), exchange_, fetcher_, board.store(), trust.state(),
             {engine::AllOperators(), &engine::kPatchPlanner},
             {.answer = answer_, .envelope = envelope_, .arena = board.arena()}, {}, this, &stage_,
             &rotation_) {}

std::vector<UpdateSummary> DeviceUpdate::Run(const UpdateWish& wish) {
  if (wish.names.size() > formats::kTrackedComponentsMax) {
    throw CommandError("a board follows at most 16 models", 2);
  }
  const std::vector<std::string_view> names(wish.names.begin(), wish.names.end());
  summaries_.clear();
  now_s_ = 0;
  agent_.Start(
      trust_.profile(),
      {.model_names = names, .wants_all = wish.wants_all, .wants_proof = wish.wants_proof});
  Drive();
  AddUntouched(wish);
  return summaries_;
}

void DeviceUpdate::Drive() {
  for (;;) {
    const Status status = agent_.Step();
    if (!board_.power().is_on()) ThrowPowerCut(display_.cut_after_bytes());
    if (status == Status::kBusy) {
      if (agent_.is_waiting_for_network()) link_.Pace(Activity());
      continue;
    }
    const bool has_polled = now_s_ != 0;
    if (!IsOk(status) && !has_polled) ThrowPollFailure(status);
    return;
  }
}

/// Changes whenever the agent has moved on.
uint64_t DeviceUpdate::Activity() const {
  const auto poll = static_cast<uint64_t>(agent_.poller().state());
  const auto update = static_cast<uint64_t>(agent_.updater().state());
  const auto fetch = static_cast<uint64_t>(fetcher_.state());
  return fetcher_.received_bytes() << 24 | poll << 16 | update << 8 | fetch;
}

void DeviceUpdate::AddUntouched(const UpdateWish& wish) {
  for (const std::string& name : wish.names) {
    const bool is_known =
        std::any_of(summaries_.begin(), summaries_.end(),
                    [&name](const UpdateSummary& summary) { return summary.name == name; });
    if (is_known) continue;
    const formats::TrackedComponent tracked =
        formats::FindTracked(trust_.state(), formats::ComponentKind::kModel, name);
    const bool is_installed = tracked.installed_sequence != 0;
    summaries_.push_back({.name = name,
                          .sequence_number = tracked.installed_sequence,
                          .status = is_installed ? Status::kAlreadyExists : Status::kNotFound,
                          .fetch = {}});
  }
}

void DeviceUpdate::OnPolled(uint64_t now_s, uint32_t /*offer_count*/) { now_s_ = now_s; }

void DeviceUpdate::OnOffer(const formats::ComponentSequence& release) {
  display_.SetName(std::string(release.name));
}

void DeviceUpdate::OnReleaseEnd(const formats::ComponentSequence& release, Status status) {
  display_.Finish();
  display_.summary.total_bytes = fetcher_.total_bytes();
  display_.summary.received_bytes = fetcher_.received_bytes();
  summaries_.push_back({.name = std::string(release.name),
                        .sequence_number = release.sequence_number,
                        .status = status,
                        .fetch = display_.summary});
}

void DeviceUpdate::ThrowPollFailure(Status status) {
  std::string message = "poll of " + link_.server_url() + ": " +
                        std::string(StatusSentence(status)) + ' ' + Explain(status);
  if (status == Status::kHttpStatusUnexpected) {
    message += "It said HTTP " + std::to_string(exchange_.http_status()) + '.';
  }
  throw CommandError(message + " [" + std::string(StatusName(status)) + ']');
}

std::string DeviceUpdate::Explain(const UpdateSummary& summary) const {
  return summary.status == Status::kNotFound ? ExplainAbsence(summary.name)
                                             : Explain(summary.status);
}

std::string DeviceUpdate::ExplainAbsence(const std::string& name) const {
  const std::string id(board_.traits().id);
  return link_.server_url() + " has no release of '" + name + "' for this board, whose vendor is " +
         kBoardVendor + " and whose classes are " + id + " and " + kEveryBoardClass +
         ". Ask by the name that it was published under, or publish it for this board: `publish "
         "MODEL --name " +
         name + " --vendor " + kBoardVendor + " --class " + id + "`.";
}

std::string DeviceUpdate::Explain(Status status) const {
  switch (status) {
    case Status::kNotFound:
      return "It answers no polls: give it root metadata with `trust publish`.";
    case Status::kSignerUnknown:
    case Status::kThresholdNotMet:
      return "Was this board given the right root metadata with --trust?";
    case Status::kRootOutdated:
      return "The server must give every version of the root metadata, `trust publish`.";
    case Status::kFreshnessStale:
    case Status::kNonceMismatch:
      return "Somebody plays back old answers, or the server's clock went back.";
    case Status::kCoseRecipientMissing:
      return "Give the key that it is encrypted for with --payload-key.";
    case Status::kAttemptsExhausted:
      return "It is tried again after a day, or as a new release.";
    case Status::kStorageFull:
      return "Make room with --delete NAME.";
    default:
      return link_.Explain(status);
  }
}

}  // namespace ota::cli
