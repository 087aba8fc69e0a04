// SPDX-License-Identifier: Apache-2.0
#include "cli/device_fetch.h"

#include "cli/commands.h"

namespace ota::cli {
namespace {

using agent::Fetcher;
using simulator::RunToEnd;

bool IsWaitingForNetwork(Fetcher::State state) {
  return state == Fetcher::State::kRequesting || state == Fetcher::State::kReceiving ||
         state == Fetcher::State::kWaiting;
}

}  // namespace

void ThrowPowerCut(uint64_t after_bytes) {
  throw CommandError("power was cut after " + std::to_string(after_bytes) +
                     " bytes, as --cut-power-after asked; start the board again with the same "
                     "--state and it resumes");
}

FetchSummary DeviceFetch::Fetch(const std::string& name) {
  const std::string path = "/models/" + name + ".tflite";
  display_.SetName(name);
  Fetcher fetcher(link_.port(), source_, board_.store(), {}, &display_);
  fetcher.Start({.name = storage::ModelName(name), .path = path, .expected = std::nullopt});
  Drive(fetcher, name);
  display_.Finish();
  FetchSummary& summary = display_.summary;
  summary.total_bytes = fetcher.total_bytes();
  summary.received_bytes = fetcher.received_bytes();
  summary.was_present = fetcher.Step() == Status::kAlreadyExists;
  if (!summary.was_present) TakeIntoUse(name);
  return summary;
}

void DeviceFetch::Drive(Fetcher& fetcher, const std::string& name) {
  for (;;) {
    const Status status = fetcher.Step();
    if (!board_.power().is_on()) ThrowPowerCut(display_.cut_after_bytes());
    if (IsOk(status) || status == Status::kAlreadyExists) return;
    if (status != Status::kBusy) Throw(status, name, fetcher);
    const auto state = static_cast<uint64_t>(fetcher.state());
    if (IsWaitingForNetwork(fetcher.state())) link_.Pace(fetcher.received_bytes() << 8 | state);
  }
}

void DeviceFetch::TakeIntoUse(const std::string& name) {
  const auto check = [&](Status status) {
    if (IsOk(status)) return;
    throw CommandError(name + ": " + std::string(StatusSentence(status)) + " (" +
                       std::string(StatusName(status)) + ")");
  };
  check(RunToEnd([&] { return board_.store().Activate(name.c_str()); }));
  check(RunToEnd([&] { return board_.store().Confirm(name.c_str()); }));
}

void DeviceFetch::Throw(Status status, const std::string& name, const Fetcher& fetcher) {
  throw CommandError(name + " from " + link_.server_url() + ": " +
                     std::string(StatusSentence(status)) + ' ' + Explain(status, fetcher) + " [" +
                     std::string(StatusName(status)) + ']');
}

std::string DeviceFetch::Explain(Status status, const Fetcher& fetcher) {
  switch (status) {
    case Status::kNotFound:
      return "The server has no such model; its list is at " + link_.server_url() + "/models/.";
    case Status::kNameInvalid:
      return "Use 1 to 31 letters, digits, '.', '_' or '-'.";
    case Status::kStorageFull: {
      const storage::StoreSpace space = board_.store().space();
      return "It needs " + std::to_string(board_.store().NeededBytes(fetcher.total_bytes())) +
             " bytes in one piece; free are " + std::to_string(space.free_bytes) +
             ", in one piece " + std::to_string(space.largest_free_bytes) +
             ". Make room with --delete NAME.";
    }
    case Status::kHttpStatusUnexpected:
      return "It said HTTP " + std::to_string(source_.http_status()) + '.';
    case Status::kDigestMismatch:
      return "What had come is dropped; fetch it again.";
    case Status::kDigestUnknown:
      return "The server's ETag is not the SHA-256 of the artifact.";
    default:
      return link_.Explain(status);
  }
}

}  // namespace ota::cli
