// SPDX-License-Identifier: Apache-2.0
// The whole way from TLS to the store, against an OpenSSL server in memory whose link breaks.
#include <gtest/gtest.h>

#include <ctime>
#include <vector>

#include "agent/port/posix/posix_network.h"
#include "agent/transport/https_payload_source.h"
#include "agent/transport/test_tls_peer.h"
#include "agent/update/fetcher.h"
#include "agent/update/test_model_store.h"
#include "agent/update/test_port.h"

namespace ota::agent {
namespace {

constexpr int kStepCountMax = 1'000'000;

std::string Hex(const crypto::Sha256Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string HeaderOf(const std::string& request, const std::string& name) {
  const size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

/// A server with one artifact, and a network whose connections die after so many bytes each.
class TestServer final : public Network {
 public:
  explicit TestServer(std::string content) : artifact(std::move(content)) {}

  std::string artifact;
  std::vector<uint64_t> cuts;  ///< of each connection in turn; then none
  int close_after_answers = INT32_MAX;
  std::vector<std::string> requests;
  size_t connection_count = 0;

  std::string Answer(const std::string& request) {
    requests.push_back(request);
    const std::string etag = '"' + Hex(crypto::ComputeSha256(AsBytes(artifact))) + '"';
    if (!request.starts_with("GET /models/kws.tflite ")) {
      return "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}";
    }
    const std::string range = HeaderOf(request, "Range");
    const bool is_partial = !range.empty() && HeaderOf(request, "If-Range") == etag;
    const size_t first = is_partial ? std::stoul(range.substr(6)) : 0;
    std::string head = is_partial
                           ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " +
                                 std::to_string(first) + '-' + std::to_string(artifact.size() - 1) +
                                 '/' + std::to_string(artifact.size()) + "\r\n"
                           : "HTTP/1.1 200 OK\r\n";
    head += "ETag: " + etag + "\r\nContent-Length: " + std::to_string(artifact.size() - first);
    return head + "\r\n\r\n" + artifact.substr(first);
  }

  Result<ByteStream*> Connect(std::string_view, uint16_t) override {
    peer_ = std::make_unique<TestTlsPeer>(
        identity_, [this](const std::string& request) { return Answer(request); });
    if (connection_count < cuts.size()) peer_->cut_after_bytes = cuts[connection_count];
    peer_->close_after_answers = close_after_answers;
    ++connection_count;
    return static_cast<ByteStream*>(peer_.get());
  }
  void Disconnect() override {}

  std::string authority_pem() const { return authority_.ToPem(); }
  uint64_t sent_bytes() const { return peer_->sent_bytes(); }

 private:
  TestIdentity authority_ = MakeTestIdentity({.subject = "authority"});
  TestIdentity identity_ = MakeTestIdentity(
      {.subject = "server", .alternative_names = "IP:127.0.0.1", .issuer = &authority_});
  std::unique_ptr<TestTlsPeer> peer_;
};

class HttpsFetchTest : public testing::Test {
 protected:
  HttpsFetchTest() { calendar_.time_s = std::time(nullptr); }

  HttpsOptions Options() const {
    return {.server = *ParseServerAddress("https://127.0.0.1:8443"),
            .ca = ByteSpan(reinterpret_cast<const uint8_t*>(ca_.c_str()), ca_.size() + 1)};
  }
  Status Fetch(const char* path = "/models/kws.tflite") {
    HttpsClient client(port_, Options(), buffer_);
    HttpsPayloadSource source(client, "");
    return FetchFrom(source, path);
  }
  Status FetchFrom(PayloadSource& source, const char* path) {
    Fetcher fetcher(port_, source, store_, {}, nullptr);
    fetcher.Start({.name = "kws", .path = path, .expected = std::nullopt});
    for (int step = 0; step < kStepCountMax; ++step) {
      const Status status = fetcher.Step();
      if (status != Status::kBusy) return status;
      clock_.time_ms += fetcher.state() == Fetcher::State::kWaiting ? 50 : 0;
    }
    return Status::kOutOfRange;
  }

  TestServer server_{std::string(20'000, 'm')};
  const std::string ca_ = server_.authority_pem();
  std::array<uint8_t, 512> buffer_ = {};
  TestClock clock_;
  TestCalendar calendar_;
  PosixEntropy entropy_;
  Port port_{clock_, calendar_, entropy_, server_};
  TestModelStore store_;
};

TEST_F(HttpsFetchTest, BringsAnArtifactOverTls) {
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_EQ(store_.bytes, server_.artifact);
  EXPECT_EQ(HeaderOf(server_.requests.at(0), "Host"), "127.0.0.1:8443");
}

TEST_F(HttpsFetchTest, ResumesWhereverTheConnectionBreaks) {
  ASSERT_EQ(Fetch(), Status::kOk);
  const uint64_t whole_bytes = server_.sent_bytes();
  for (uint64_t cut = 0; cut < whole_bytes; cut += 509) {
    server_.cuts = {cut, cut / 2};
    server_.connection_count = 0;
    server_.requests.clear();
    store_ = TestModelStore();
    ASSERT_EQ(Fetch(), Status::kOk) << cut;
    ASSERT_EQ(store_.bytes, server_.artifact) << cut;
    ASSERT_EQ(store_.begin_count, 1) << "resumed, not begun again, at " << cut;
  }
}

TEST_F(HttpsFetchTest, ResumesAfterARestartOfTheDevice) {
  server_.cuts.assign(10, 9000);
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_GT(server_.connection_count, 2u);
  store_ = TestModelStore();
  server_.cuts.assign(100, 6000);  // now for ever
  server_.connection_count = 0;
  FetchLimits limits;
  HttpsClient client(port_, Options(), buffer_);
  HttpsPayloadSource source(client, "");
  {
    Fetcher fetcher(port_, source, store_, limits, nullptr);
    fetcher.Start({.name = "kws", .path = "/models/kws.tflite", .expected = std::nullopt});
    while (store_.bytes.size() < 2000) ASSERT_EQ(fetcher.Step(), Status::kBusy);
  }
  client.Close();
  store_.Reboot(1024);
  server_.cuts.clear();
  server_.requests.clear();
  EXPECT_EQ(Fetch(), Status::kOk);
  EXPECT_EQ(store_.bytes, server_.artifact);
  EXPECT_EQ(HeaderOf(server_.requests.at(0), "Range"), "bytes=1024-");
}

TEST_F(HttpsFetchTest, TellsANameThatTheServerDoesNotHave) {
  EXPECT_EQ(Fetch("/models/other.tflite"), Status::kNotFound);
  EXPECT_EQ(server_.connection_count, 1u);
}

TEST_F(HttpsFetchTest, UsesOneConnectionForSeveralArtifacts) {
  HttpsClient client(port_, Options(), buffer_);
  HttpsPayloadSource source(client, "/models");
  for (int i = 0; i < 3; ++i) {
    store_ = TestModelStore();
    ASSERT_EQ(FetchFrom(source, "/kws.tflite"), Status::kOk);
    EXPECT_EQ(store_.bytes, server_.artifact);
  }
  EXPECT_EQ(server_.requests.size(), 3u);
  EXPECT_EQ(server_.connection_count, 1u);
}

TEST_F(HttpsFetchTest, ConnectsAnewWhenTheServerHasClosedAnIdleConnection) {
  server_.close_after_answers = 1;
  HttpsClient client(port_, Options(), buffer_);
  for (int i = 0; i < 2; ++i) {
    client.Start({.target = "/models/kws.tflite"});
    bool has_ended = false;
    while (!has_ended) {
      const Result<HttpClient::Event> event = client.Step();
      if (event.status() == Status::kBusy) continue;
      ASSERT_TRUE(event.ok()) << StatusName(event.status());
      has_ended = event->kind == HttpClient::EventKind::kEnd;
    }
  }
  EXPECT_EQ(server_.connection_count, 2u);
}

TEST_F(HttpsFetchTest, NeverAsksAServerThatItDoesNotTrust) {
  const TestIdentity other = MakeTestIdentity({.subject = "authority"});
  const std::string other_ca = other.ToPem();
  HttpsOptions options = Options();
  options.ca = ByteSpan(reinterpret_cast<const uint8_t*>(other_ca.c_str()), other_ca.size() + 1);
  HttpsClient client(port_, options, buffer_);
  HttpsPayloadSource source(client, "");
  EXPECT_EQ(FetchFrom(source, "/models/kws.tflite"), Status::kCertificateUntrusted);
  EXPECT_EQ(server_.connection_count, 1u);
  EXPECT_TRUE(server_.requests.empty());
}

}  // namespace
}  // namespace ota::agent
