// SPDX-License-Identifier: Apache-2.0
#include "cli/device_link.h"

#include <fstream>
#include <iterator>

#include "cli/commands.h"

namespace ota::cli {
namespace {

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

}  // namespace

DeviceLink::DeviceLink(const std::string& server_url, const std::string& ca_path)
    : server_url_(server_url),
      ca_path_(ca_path),
      ca_(ReadCa(ca_path)),
      https_options_{.server = ParseServer(server_url_), .ca = ca_},
      client_(port_, https_options_, buffer_) {}

void DeviceLink::Pace(uint64_t activity) {
  idle_step_count_ = activity != last_activity_ ? 0 : idle_step_count_ + 1;
  last_activity_ = activity;
  if (idle_step_count_ > kIdleStepCount) network_.WaitForActivity(kRestMs);
}

std::string DeviceLink::Explain(Status status) const {
  switch (status) {
    case Status::kCertificateUntrusted:
      return "Give the CA that issued the server's certificate; --ca is " + ca_path_ + '.';
    case Status::kHostNameMismatch:
      return "Use a name or address that its certificate lists.";
    case Status::kTrustAnchorInvalid:
      return "--ca is " + ca_path_ + '.';
    case Status::kConnectionRefused:
    case Status::kHostNotFound:
      return "Is the server running, and is --server right?";
    case Status::kConnectionLost:
    case Status::kTimedOut:
      return "What has come is kept; the next --fetch resumes there.";
    default:
      return "";
  }
}

}  // namespace ota::cli
