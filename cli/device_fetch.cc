// SPDX-License-Identifier: Apache-2.0
#include "cli/device_fetch.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include "cli/commands.h"
#include "cli/progress_bar.h"

namespace ota::cli {
namespace {

using agent::Fetcher;
using simulator::RunToEnd;

constexpr int kIdleStepCount = 16;  ///< steps without progress before the host rests
constexpr uint32_t kRestMs = 2;

/// The file with the terminating NUL that PEM text needs.
std::vector<uint8_t> ReadCa(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw CommandError("cannot read the CA certificate " + path +
                       "; the server says at its start where its own is");
  }
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.find("-----BEGIN") != std::string_view::npos) bytes.push_back(0);
  return bytes;
}

agent::ServerAddress ParseServer(const std::string& url) {
  const Result<agent::ServerAddress> address = agent::ParseServerAddress(url);
  if (address.ok()) return *address;
  throw CommandError("--server " + url + ": say https://HOST[:PORT]", 2);
}

/// Shows what a fetch does, and cuts the power when that was asked for.
class Observer final : public agent::FetchObserver {
 public:
  Observer(const std::string& name, simulator::PowerSupply& power, uint64_t bytes_until_cut)
      : name_(name), power_(power), bytes_until_cut_(bytes_until_cut) {}

  void OnStart(uint32_t first_offset, uint32_t total_bytes) override {
    if (first_offset > 0) {
      std::fprintf(stderr, "%s: resumes at byte %u of %u\n", name_.c_str(), first_offset,
                   total_bytes);
      if (!has_started_) summary.resumed_at = first_offset;
    }
    has_started_ = true;
    last_staged_bytes_ = first_offset;
    bar_ = std::make_unique<ProgressBar>(name_, total_bytes);
  }

  void OnProgress(uint32_t staged_bytes, uint32_t /*total_bytes*/) override {
    bar_->Update(staged_bytes);
    staged_in_session_ += staged_bytes - last_staged_bytes_;
    last_staged_bytes_ = staged_bytes;
    if (staged_in_session_ >= bytes_until_cut_) power_.CutAt(power_.point_count(), 1);
  }

  void OnRetry(Status why, uint32_t attempt_count, uint32_t wait_ms) override {
    bar_.reset();
    ++summary.retry_count;
    const std::string sentence(StatusSentence(why));
    std::fprintf(stderr, "%s: %s Attempt %u follows in %u ms.\n", name_.c_str(), sentence.c_str(),
                 attempt_count + 1, wait_ms);
  }

  void OnStartOver() override {
    bar_.reset();
    std::fprintf(stderr, "%s: the artifact has changed at the server; starting over\n",
                 name_.c_str());
  }

  FetchSummary summary;

 private:
  std::string name_;
  simulator::PowerSupply& power_;
  uint64_t bytes_until_cut_;
  std::unique_ptr<ProgressBar> bar_;
  uint32_t last_staged_bytes_ = 0;
  uint64_t staged_in_session_ = 0;
  bool has_started_ = false;
};

bool IsWaitingForNetwork(Fetcher::State state) {
  return state == Fetcher::State::kRequesting || state == Fetcher::State::kReceiving ||
         state == Fetcher::State::kWaiting;
}

}  // namespace

DeviceFetch::DeviceFetch(simulator::VirtualBoard& board, const std::string& server_url,
                         const std::string& ca_path, uint64_t cut_power_after_bytes)
    : board_(board),
      server_url_(server_url),
      ca_path_(ca_path),
      ca_(ReadCa(ca_path)),
      cut_power_after_bytes_(cut_power_after_bytes),
      https_options_{.server = ParseServer(server_url_), .ca = ca_},
      client_(port_, https_options_, buffer_),
      source_(client_, https_options_.server.path) {}

FetchSummary DeviceFetch::Fetch(const std::string& name) {
  const std::string path = "/models/" + name + ".tflite";
  const bool is_cut = cut_power_after_bytes_ != UINT64_MAX;
  Observer observer(
      name, board_.power(),
      is_cut ? cut_power_after_bytes_ - std::min(received_before_, cut_power_after_bytes_)
             : UINT64_MAX);
  Fetcher fetcher(port_, source_, board_.store(), {}, &observer);
  fetcher.Start({.name = storage::ModelName(name), .path = path, .expected = std::nullopt});
  Drive(fetcher, name);
  received_before_ += fetcher.received_bytes();
  observer.summary.total_bytes = fetcher.total_bytes();
  observer.summary.received_bytes = fetcher.received_bytes();
  observer.summary.was_present = fetcher.Step() == Status::kAlreadyExists;
  if (!observer.summary.was_present) TakeIntoUse(name);
  return observer.summary;
}

void DeviceFetch::Drive(Fetcher& fetcher, const std::string& name) {
  uint64_t last_received = 0;
  Fetcher::State last_state = fetcher.state();
  for (int idle_steps = 0;;) {
    const Status status = fetcher.Step();
    if (!board_.power().is_on()) {
      throw CommandError("power was cut after " + std::to_string(cut_power_after_bytes_) +
                         " bytes, as --cut-power-after asked; start the board again with the same "
                         "--state and it resumes");
    }
    if (IsOk(status) || status == Status::kAlreadyExists) return;
    if (status != Status::kBusy) Throw(status, name, fetcher);
    const bool has_moved =
        fetcher.received_bytes() != last_received || fetcher.state() != last_state;
    last_received = fetcher.received_bytes();
    last_state = fetcher.state();
    idle_steps = has_moved || !IsWaitingForNetwork(last_state) ? 0 : idle_steps + 1;
    if (idle_steps > kIdleStepCount) network_.WaitForActivity(kRestMs);
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
  throw CommandError(name + " from " + server_url_ + ": " + std::string(StatusSentence(status)) +
                     ' ' + Explain(status, fetcher) + " [" + std::string(StatusName(status)) + ']');
}

std::string DeviceFetch::Explain(Status status, const Fetcher& fetcher) {
  switch (status) {
    case Status::kNotFound:
      return "The server has no such model; its list is at " + server_url_ + "/models/.";
    case Status::kNameInvalid:
      return "Use 1 to 31 letters, digits, '.', '_' or '-'.";
    case Status::kStorageFull: {
      const storage::StoreSpace space = board_.store().space();
      return "It needs " + std::to_string(board_.store().NeededBytes(fetcher.total_bytes())) +
             " bytes in one piece; free are " + std::to_string(space.free_bytes) +
             ", in one piece " + std::to_string(space.largest_free_bytes) +
             ". Make room with --delete NAME.";
    }
    case Status::kCertificateUntrusted:
      return "Give the CA that issued the server's certificate; --ca is " + ca_path_ + '.';
    case Status::kHostNameMismatch:
      return "Use a name or address that its certificate lists.";
    case Status::kTrustAnchorInvalid:
      return "--ca is " + ca_path_ + '.';
    case Status::kHttpStatusUnexpected:
      return "It said HTTP " + std::to_string(source_.http_status()) + '.';
    case Status::kConnectionRefused:
    case Status::kHostNotFound:
      return "Is the server running, and is --server right?";
    case Status::kConnectionLost:
    case Status::kTimedOut:
      return "What has come is kept; the next --fetch resumes there.";
    case Status::kDigestMismatch:
      return "What had come is dropped; fetch it again.";
    case Status::kDigestUnknown:
      return "The server's ETag is not the SHA-256 of the artifact.";
    default:
      return "";
  }
}

}  // namespace ota::cli
