// SPDX-License-Identifier: Apache-2.0
#include "tests/test_fetching.h"

#include "agent/transport/https_payload_source.h"
#include "base/prng.h"

namespace ota::tests {
namespace {

constexpr int kStepCountMax = 5'000'000;

}  // namespace

Result<agent::ByteStream*> TestNetwork::Connect(std::string_view /*host*/, uint16_t port) {
  OTA_TRY(agent::ByteStream* const stream, network_.Connect("127.0.0.1", port));
  link_.stream = stream;
  link_.is_plugged = true;
  return static_cast<agent::ByteStream*>(&link_);
}

Result<size_t> TestNetwork::Link::Read(MutableByteSpan target) {
  if (!is_plugged) return Status::kConnectionLost;
  return stream->Read(target);
}

Result<size_t> TestNetwork::Link::Write(ByteSpan data) {
  if (!is_plugged) return Status::kConnectionLost;
  return stream->Write(data);
}

Status TestFetching::Fetch(simulator::VirtualBoard& board, const std::string& host, uint16_t port,
                           const std::string& ca, const OnStep& on_step) {
  const std::string url = "https://" + host + ':' + std::to_string(port);
  agent::HttpsClient client(
      port_,
      {.server = *agent::ParseServerAddress(url),
       .ca = ByteSpan(reinterpret_cast<const uint8_t*>(ca.c_str()), ca.size() + 1)},
      buffer_);
  agent::HttpsPayloadSource source(client, "/models");
  agent::Fetcher fetcher(port_, source, board.store(), limits_, nullptr);
  fetcher.Start({.name = "big", .path = "/big.tflite", .expected = std::nullopt});
  for (int step = 0; step < kStepCountMax; ++step) {
    const Status status = fetcher.Step();
    received_bytes_ = fetcher.received_bytes();
    if (status != Status::kBusy) return status;
    if (!on_step(board.store().staged_bytes())) return Status::kBusy;
    if (fetcher.state() == agent::Fetcher::State::kWaiting) network_.Rest();
  }
  return Status::kOutOfRange;
}

std::string MakeArtifact(size_t size_bytes, uint32_t seed) {
  Prng prng(seed);
  std::string artifact(size_bytes, '\0');
  for (char& c : artifact) c = static_cast<char>(prng.Next() >> 24);
  return artifact;
}

std::string ReadStored(simulator::VirtualBoard& board) {
  const auto source = simulator::RunToEnd(
      [&] { return board.store().Open("big", storage::ImageChoice::kCandidate); });
  if (!source.ok()) return std::string(StatusName(source.status()));
  std::string bytes((*source)->size_bytes(), '\0');
  const MutableByteSpan target(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
  const Status status = simulator::RunToEnd([&] { return (*source)->Read(0, target); });
  board.store().Close(*source);
  return IsOk(status) ? bytes : std::string(StatusName(status));
}

}  // namespace ota::tests
