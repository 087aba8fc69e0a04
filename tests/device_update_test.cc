// SPDX-License-Identifier: Apache-2.0
// From the real server over real sockets into a virtual board's flash.
#include <gtest/gtest.h>

#include <filesystem>

#include "server/service.h"
#include "server/temporary_directory.h"
#include "tests/test_fetching.h"

namespace ota::tests {
namespace {

using simulator::FindBoard;
using simulator::VirtualBoard;

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

  Status Fetch(VirtualBoard& board, const std::string& host, const TestFetching::OnStep& on_step) {
    return fetching_.Fetch(board, host, service_->port(), ca_, on_step);
  }
  Status Fetch(VirtualBoard& board, const std::string& host = "127.0.0.1") {
    return Fetch(board, host, [](uint32_t) { return true; });
  }

  const std::string artifact_ = MakeArtifact(1'000'000, 3);
  server::TemporaryDirectory directory_;
  server::ServiceOptions options_;
  std::unique_ptr<server::Service> service_;
  std::string ca_;
  TestFetching fetching_;
};

TEST_F(DeviceUpdateTest, BringsAModelFromTheServerIntoFlash) {
  VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_EQ(Fetch(board), Status::kOk);
  EXPECT_EQ(ReadStored(board), artifact_);
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
  fetching_.network().Disconnect();
  VirtualBoard board(*FindBoard("B1"), directory_.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  EXPECT_FALSE(board.was_formatted());
  EXPECT_EQ(Fetch(board), Status::kOk);
  EXPECT_EQ(ReadStored(board), artifact_);
  EXPECT_LT(fetching_.received_bytes(), 450'000u);
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
