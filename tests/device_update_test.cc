// SPDX-License-Identifier: Apache-2.0
// From the real server over real sockets into a virtual board's flash.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "agent/port/posix/posix_network.h"
#include "agent/transport/https_payload_source.h"
#include "agent/update/fetcher.h"
#include "server/service.h"
#include "server/temporary_directory.h"
#include "simulator/board/virtual_board.h"

namespace ota::tests {
namespace {

using agent::ByteStream;
using agent::Fetcher;
using simulator::FindBoard;
using simulator::RunToEnd;
using simulator::VirtualBoard;

constexpr int kStepCountMax = 5'000'000;

std::string MakeArtifact(size_t size_bytes, uint32_t seed) {
  Prng prng(seed);
  std::string artifact(size_bytes, '\0');
  for (char& c : artifact) c = static_cast<char>(prng.Next() >> 24);
  return artifact;
}

/// Leads every name to this host, and can be unplugged.
class TestNetwork final : public agent::Network {
 public:
  Result<ByteStream*> Connect(std::string_view /*host*/, uint16_t port) override {
    OTA_TRY(ByteStream* const stream, network_.Connect("127.0.0.1", port));
    link_.stream = stream;
    link_.is_plugged = true;
    return static_cast<ByteStream*>(&link_);
  }
  void Disconnect() override { network_.Disconnect(); }
  void Unplug() { link_.is_plugged = false; }
  void Rest() const { network_.WaitForActivity(2); }

 private:
  struct Link final : public ByteStream {
    Result<size_t> Read(MutableByteSpan target) override {
      if (!is_plugged) return Status::kConnectionLost;
      return stream->Read(target);
    }
    Result<size_t> Write(ByteSpan data) override {
      if (!is_plugged) return Status::kConnectionLost;
      return stream->Write(data);
    }
    void Close() override { stream->Close(); }
    ByteStream* stream = nullptr;
    bool is_plugged = true;
  };

  agent::PosixNetwork network_;
  Link link_;
};

class DeviceUpdateTest : public testing::Test {
 protected:
  DeviceUpdateTest() {
    std::filesystem::create_directories(directory_.path("server/models"));
    directory_.Replace("server/models/big.tflite", artifact_);
    options_.data_directory = directory_.path("server");
    options_.listen = "127.0.0.1:0";
    options_.access_log_path = directory_.path("access.log");
    options_.limits.stop_max = std::chrono::milliseconds(0);
    StartServer();
  }

  void StartServer() {
    auto started = server::Service::Start(options_);
    ASSERT_TRUE(started.ok()) << started.error().message;
    service_ = std::move(*started);
    options_.listen = "127.0.0.1:" + std::to_string(service_->port());
    if (ca_.empty()) ca_ = directory_.Read("server/tls/ca.pem");
  }

  /// `on_step` sees the bytes staged so far and may do harm; false ends the fetch there.
  using OnStep = std::function<bool(uint32_t staged_bytes)>;
  Status Fetch(VirtualBoard& board, const std::string& host, const OnStep& on_step) {
    const std::string url = "https://" + host + ':' + std::to_string(service_->port());
    agent::HttpsClient client(
        port_,
        {.server = *agent::ParseServerAddress(url),
         .ca = ByteSpan(reinterpret_cast<const uint8_t*>(ca_.c_str()), ca_.size() + 1)},
        buffer_);
    agent::HttpsPayloadSource source(client, "/models");
    Fetcher fetcher(port_, source, board.store(), limits_, nullptr);
    fetcher.Start({.name = "big", .path = "/big.tflite", .expected = std::nullopt});
    for (int step = 0; step < kStepCountMax; ++step) {
      const Status status = fetcher.Step();
      received_bytes_ = fetcher.received_bytes();
      if (status != Status::kBusy) return status;
      if (!on_step(board.store().staged_bytes())) return Status::kBusy;
      if (fetcher.state() == Fetcher::State::kWaiting) network_.Rest();
    }
    return Status::kOutOfRange;
  }
  Status Fetch(VirtualBoard& board, const std::string& host = "127.0.0.1") {
    return Fetch(board, host, [](uint32_t) { return true; });
  }

  std::string ReadStored(VirtualBoard& board) {
    const auto source =
        RunToEnd([&] { return board.store().Open("big", storage::ImageChoice::kCandidate); });
    if (!source.ok()) return std::string(StatusName(source.status()));
    std::string bytes((*source)->size_bytes(), '\0');
    const MutableByteSpan target(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
    const Status status = RunToEnd([&] { return (*source)->Read(0, target); });
    board.store().Close(*source);
    return IsOk(status) ? bytes : std::string(StatusName(status));
  }

  const std::string artifact_ = MakeArtifact(1'000'000, 3);
  server::TemporaryDirectory directory_;
  server::ServiceOptions options_;
  std::unique_ptr<server::Service> service_;
  std::string ca_;
  agent::PosixClock clock_;
  agent::PosixCalendar calendar_;
  agent::PosixEntropy entropy_;
  TestNetwork network_;
  agent::Port port_{clock_, calendar_, entropy_, network_};
  agent::FetchLimits limits_ = {.backoff_first_ms = 20};
  std::array<uint8_t, 1024> buffer_ = {};
  uint64_t received_bytes_ = 0;
};

TEST_F(DeviceUpdateTest, BringsAModelFromTheServerIntoFlash) {
  VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_EQ(Fetch(board), Status::kOk);
  EXPECT_EQ(ReadStored(board), artifact_);
}

TEST_F(DeviceUpdateTest, ResumesWhenTheServerIsKilledInTheMiddle) {
  VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  bool was_killed = false;
  const Status status = Fetch(board, "127.0.0.1", [&](uint32_t staged_bytes) {
    if (staged_bytes < 400'000 || was_killed) return true;
    was_killed = true;
    service_.reset();
    network_.Unplug();  // what the kernel still holds of the old connection is lost
    StartServer();
    return true;
  });
  EXPECT_EQ(status, Status::kOk);
  EXPECT_TRUE(was_killed);
  EXPECT_EQ(ReadStored(board), artifact_);
  EXPECT_LT(received_bytes_, artifact_.size() + 5000) << "what had come did not come again";
}

TEST_F(DeviceUpdateTest, ResumesAfterAPowerCutInTheMiddle) {
  {
    VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
    ASSERT_EQ(board.Boot(), Status::kOk);
    const Status status = Fetch(board, "127.0.0.1", [&](uint32_t staged_bytes) {
      if (staged_bytes > 600'000) board.power().CutAt(board.power().point_count(), 5);
      return board.power().is_on();
    });
    ASSERT_TRUE(status == Status::kBusy || status == Status::kMediumFailed) << StatusName(status);
  }
  network_.Disconnect();
  VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_FALSE(board.was_formatted());
  EXPECT_EQ(Fetch(board), Status::kOk);
  EXPECT_EQ(ReadStored(board), artifact_);
  EXPECT_LT(received_bytes_, 450'000u);
}

TEST_F(DeviceUpdateTest, TellsAWrongHostAndAWrongAuthority) {
  VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_EQ(Fetch(board, "updates.example.com"), Status::kHostNameMismatch);

  server::ServiceOptions other = options_;
  other.data_directory = directory_.path("other");
  other.listen = "127.0.0.1:0";
  auto started = server::Service::Start(other);
  ASSERT_TRUE(started.ok()) << started.error().message;
  ca_ = directory_.Read("other/tls/ca.pem");
  EXPECT_EQ(Fetch(board), Status::kCertificateUntrusted);
  EXPECT_EQ(board.store().image_count(), 0u);
}

TEST_F(DeviceUpdateTest, LeavesTheFlashAsItIsWhenAModelDoesNotFit) {
  VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  directory_.Replace("server/models/big.tflite", MakeArtifact(4'000'000, 4));
  EXPECT_EQ(Fetch(board), Status::kStorageFull);
  EXPECT_EQ(board.store().image_count(), 0u);
  EXPECT_GT(board.store().space().free_bytes, 1'000'000u);
}

}  // namespace
}  // namespace ota::tests
