// SPDX-License-Identifier: Apache-2.0
#include "server/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "formats/trust/poll.h"
#include "server/artifact/digest.h"
#include "server/release/test_publisher.h"
#include "server/temporary_directory.h"
#include "server/tls_peer.h"

namespace ota::server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

// A model large enough not to fit the buffers of a socket.
std::string LargeModel(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 7;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    options_.data_directory = directory_.path("data");
    options_.listen = "127.0.0.1:0";
    options_.access_log_path = directory_.path("access.log");
    options_.limits.stop_max = milliseconds(5000);
  }
  void Start() {
    Expected<std::unique_ptr<Service>> started = Service::Start(options_);
    ASSERT_TRUE(started.ok()) << started.error().message;
    service_ = std::move(*started);
  }
  void Publish(const std::string& name, std::string_view bytes) {
    directory_.Replace("data/models/" + name + ".tflite", bytes);
  }
  TlsPeer::Options Trusting() const { return {.ca_path = service_->ca_path()}; }
  std::unique_ptr<TlsPeer> Connect() {
    auto peer = std::make_unique<TlsPeer>(service_->port(), Trusting());
    EXPECT_TRUE(peer->is_open());
    return peer;
  }
  std::string Ask(std::string_view request) {
    const auto peer = Connect();
    peer->Send(request);
    return peer->ReceiveResponse(!request.starts_with("HEAD"));
  }
  // Runs a command with $URL and $CA in the test's directory; its standard output.
  std::string Shell(const std::string& command) {
    const std::string line = "cd '" + directory_.path() + "' && URL=" + service_->url() + " CA='" +
                             service_->ca_path() + "' && " + command;
    FILE* const pipe = popen(line.c_str(), "r");
    std::string output;
    char part[4096];
    for (size_t count; (count = fread(part, 1, sizeof part, pipe)) > 0;) output.append(part, count);
    last_exit_code_ = WEXITSTATUS(pclose(pipe));
    return output;
  }
  void WriteBytes(const std::string& name, const formats::Bytes& bytes) {
    directory_.Write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void WaitForLog(std::string_view text) {
    for (int i = 0; i < 1000 && directory_.Read("access.log").find(text) == std::string::npos;
         ++i) {
      usleep(10'000);
    }
    EXPECT_THAT(directory_.Read("access.log"), HasSubstr(text));
  }

  TemporaryDirectory directory_;
  ServiceOptions options_;
  std::unique_ptr<Service> service_;
  int last_exit_code_ = -1;
};

constexpr char kGetSmall[] = "GET /models/m.tflite HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr char kHealth[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST_F(ServiceTest, ServesAllFormsToCurl) {
  Start();
  const std::string model = LargeModel(100'000);
  Publish("kws", model);
  EXPECT_EQ(Shell("curl -sSf --cacert $CA $URL/models/kws.tflite"), model);
  EXPECT_EQ(Shell("curl -sSf --http1.1 --tlsv1.2 --tls-max 1.2 --cacert $CA $URL/models/kws.bin"),
            model);
  const std::string text = Shell("curl -sSf --cacert $CA $URL/models/kws.h");
  EXPECT_THAT(text, HasSubstr("alignas(16) const unsigned char kws[] = {\n  0x"));
  EXPECT_THAT(text, HasSubstr("const unsigned int kws_len = 100000;\n"));
  Publish("lines", model);
  const std::string head = Shell("curl -sSf -I --cacert $CA $URL/models/kws.h");
  EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(text.size()) + "\r\n"));

  const auto index = nlohmann::json::parse(Shell("curl -sSf --cacert $CA $URL/models/"));
  ASSERT_EQ(index["models"].size(), 2u);
  EXPECT_EQ(index["models"][0]["name"], "kws");
  EXPECT_EQ(index["models"][0]["size"], model.size());
  EXPECT_EQ(index["models"][0]["sha256"], HexText(ComputeDigest(model)));
  EXPECT_EQ(index["models"][0]["etag"], "\"" + HexText(ComputeDigest(model)) + "\"");
  EXPECT_EQ(index["models"][0]["forms"]["h"], "/models/kws.h");
}

TEST_F(ServiceTest, IsNotBelievedByWhoDoesNotTrustItsCa) {
  Start();
  Shell("curl -sS $URL/healthz 2>/dev/null");
  EXPECT_EQ(last_exit_code_, 60) << "curl: the issuer is unknown";
  Shell(
      "curl -sS --cacert $CA --connect-to evil.example:443:127.0.0.1:${URL##*:} "
      "https://evil.example/healthz 2>/dev/null");
  EXPECT_EQ(last_exit_code_, 60) << "curl: another host name";
  Shell("curl -sSf --cacert $CA $URL/healthz");
  EXPECT_EQ(last_exit_code_, 0);
}

TEST_F(ServiceTest, ResumesForCurlAndWget) {
  Start();
  const std::string model = LargeModel(300'000);
  Publish("m", model);
  directory_.Write("curl.part", model.substr(0, 123'456));
  Shell("curl -sSf --cacert $CA -C - -o curl.part $URL/models/m.tflite");
  EXPECT_EQ(last_exit_code_, 0);
  EXPECT_EQ(directory_.Read("curl.part"), model);

  directory_.Write("m.tflite", model.substr(0, 200'001));
  Shell("wget -q -c --ca-certificate=$CA $URL/models/m.tflite");
  EXPECT_EQ(last_exit_code_, 0);
  EXPECT_EQ(directory_.Read("m.tflite"), model);
  Shell("wget -q -c --ca-certificate=$CA $URL/models/m.tflite");
  EXPECT_EQ(last_exit_code_, 0) << "nothing is left to fetch";

  const std::string text = Shell("curl -sSf --cacert $CA $URL/models/m.h");
  EXPECT_EQ(Shell("curl -sSf --cacert $CA -r 1000-1999 $URL/models/m.h"), text.substr(1000, 1000));
  EXPECT_EQ(Shell("curl -sSf --cacert $CA -r -100 $URL/models/m.h"),
            text.substr(text.size() - 100));
}

TEST_F(ServiceTest, AnswersConditionsByTheDigest) {
  Start();
  Publish("m", "first version");
  const std::string tag = "\"" + HexText(ComputeDigest("first version")) + "\"";
  const std::string head = "GET /models/m.tflite HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_THAT(Ask(head + "If-None-Match: " + tag + "\r\n\r\n"), StartsWith("HTTP/1.1 304 "));
  const std::string range = head + "Range: bytes=6-\r\nIf-Range: " + tag + "\r\n\r\n";
  EXPECT_THAT(Ask(range), testing::EndsWith("\r\n\r\nversion"));
  Publish("m", "other version");
  EXPECT_THAT(Ask(range), testing::EndsWith("\r\n\r\nother version"));
  EXPECT_THAT(Ask(head + "If-Match: " + tag + "\r\n\r\n"), StartsWith("HTTP/1.1 412 "));
  EXPECT_THAT(Ask(head + "Range: bytes=99-\r\n\r\n"), StartsWith("HTTP/1.1 416 "));
}

TEST_F(ServiceTest, RefusesWithJsonThatSaysWhatToDo) {
  Start();
  const std::string absent = Ask("GET /models/x.tflite HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(absent, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  const auto json = nlohmann::json::parse(absent.substr(absent.find("\r\n\r\n")));
  EXPECT_EQ(json["error"]["what"], "there is no model named \"x\"");
  EXPECT_THAT(Ask("DELETE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: GET, HEAD\r\n")));
  for (const char* target : {"/models/../tls/ca.key", "/models/%2e%2e%2ftls%2fca.key",
                             "/tls/ca.key", "/models/..%00.tflite", "/models/.tflite"}) {
    const std::string answer =
        Ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 40")) << target;
    EXPECT_THAT(answer, testing::Not(HasSubstr("PRIVATE"))) << target;
  }
}

TEST_F(ServiceTest, KeepsAConnectionForManyRequests) {
  options_.limits.requests_per_connection_max = 5;
  Start();
  Publish("m", "model");
  const auto peer = Connect();
  peer->Send(std::string(kGetSmall) + kGetSmall);  // The second one before the first is answered.
  EXPECT_THAT(peer->ReceiveResponse(), testing::EndsWith("\r\n\r\nmodel"));
  EXPECT_THAT(peer->ReceiveResponse(), testing::EndsWith("\r\n\r\nmodel"));
  peer->Send("HEAD /models/m.tflite HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(peer->ReceiveResponse(false), HasSubstr("Content-Length: 5\r\nConnection: keep"));
  peer->Send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(peer->ReceiveResponse(), HasSubstr("Connection: keep-alive"));
  peer->Send(kHealth);
  EXPECT_THAT(peer->ReceiveResponse(), HasSubstr("Connection: close"));
  EXPECT_EQ(peer->ReceiveSome(), "");
}

TEST_F(ServiceTest, SpeaksTls12And13Only) {
  Start();
  for (const int protocol : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer::Options options = Trusting();
    options.protocol = protocol;
    EXPECT_TRUE(TlsPeer(service_->port(), options).is_open()) << protocol;
  }
  for (const int protocol : {TLS1_VERSION, TLS1_1_VERSION}) {
    TlsPeer::Options options = Trusting();
    options.protocol = protocol;
    EXPECT_FALSE(TlsPeer(service_->port(), options).is_open()) << protocol;
  }
}

struct BadRequest {
  const char* text;
  int status;
};

TEST_F(ServiceTest, RefusesWhatIsNoRequest) {
  Start();
  constexpr BadRequest kCases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET /% HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET nopath HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
  };
  for (const BadRequest& bad : kCases) {
    EXPECT_THAT(Ask(bad.text), StartsWith("HTTP/1.1 " + std::to_string(bad.status))) << bad.text;
  }
  EXPECT_THAT(Ask("GET /healthz HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServiceTest, BoundsHeadTargetAndUnwantedBodies) {
  Start();
  const std::string large(9000, 'x');
  EXPECT_THAT(Ask("GET /" + large + " HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + large + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(Ask("GET /" + large.substr(0, 3000) + " HTTP/1.1\r\nHost: a\r\n\r\n"),
              StartsWith("HTTP/1.1 414"));
  // The answer comes through although the body is never read, and the connection ends.
  const auto peer = Connect();
  peer->Send("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" +
             std::string(100'000, 'x'));
  const std::string answer = peer->ReceiveAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST_F(ServiceTest, CutsOffWhoSendsTooSlowly) {
  options_.limits.handshake_max = milliseconds(200);
  options_.limits.header_max = milliseconds(200);
  options_.limits.idle_max = milliseconds(300);
  Start();
  const auto slow = Connect();
  slow->Send("GET / HTTP/1.1\r\nHost: a\r\n");
  EXPECT_THAT(slow->ReceiveAll(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));

  const auto silent = Connect();
  EXPECT_EQ(silent->ReceiveAll(), "");

  const int mute = ConnectTcp(service_->port());
  char byte;
  EXPECT_EQ(read(mute, &byte, 1), 0) << "a handshake that never begins is ended by the server";
  close(mute);
}

TEST_F(ServiceTest, CutsOffWhoReadsTooSlowly) {
  options_.limits.progress_max = milliseconds(200);
  Start();
  Publish("m", LargeModel(16 * 1024 * 1024));
  TlsPeer::Options options = Trusting();
  options.receive_buffer_bytes = 4096;
  TlsPeer peer(service_->port(), options);
  peer.Send(kGetSmall);
  WaitForLog("\"the peer took too long to read\"");
}

TEST_F(ServiceTest, LimitsConnectionsOfOneAddressAndServesOthersMeanwhile) {
  options_.limits.connections_max = 8;
  Start();
  std::vector<int> held;
  for (int i = 0; i < 4; ++i) held.push_back(ConnectTcp(service_->port()));
  // The fifth of the same address is closed without a word; one of another address is served.
  const int refused = ConnectTcp(service_->port());
  char byte;
  EXPECT_LE(read(refused, &byte, 1), 0);
  close(refused);
  Shell("curl -sSf --interface 127.0.0.2 --cacert $CA $URL/healthz");
  EXPECT_EQ(last_exit_code_, 0);
  for (const int descriptor : held) close(descriptor);
}

TEST_F(ServiceTest, NeverMixesVersionsInOneTransfer) {
  Start();
  const std::string first = LargeModel(16 * 1024 * 1024);
  Publish("m", first);
  const auto peer = Connect();
  peer->Send(kGetSmall);
  std::string received = peer->ReceiveSome();
  Publish("m", std::string(first.size(), 'x'));
  const size_t wanted = received.find("\r\n\r\n") + 4 + first.size();
  while (received.size() < wanted) received += peer->ReceiveSome();
  EXPECT_TRUE(received.substr(received.find("\r\n\r\n") + 4) == first);

  // Overwritten in place there is no old version any more: the transfer ends short.
  Publish("m", first);
  const auto second = Connect();
  second->Send(kGetSmall);
  received = second->ReceiveSome();
  directory_.Write("data/models/m.tflite", std::string(first.size(), 'x'));
  received += second->ReceiveAll();
  received = received.substr(received.find("\r\n\r\n") + 4);
  EXPECT_LT(received.size(), first.size());
  EXPECT_TRUE(received == first.substr(0, received.size()));
}

TEST_F(ServiceTest, ServesManyAtOnceWhileModelsAreReplaced) {
  Start();
  const std::string versions[] = {LargeModel(70'000), std::string(70'000, 'x')};
  Publish("m", versions[0]);
  std::vector<std::thread> peers;
  std::atomic<int> good_count = 0;
  for (int i = 0; i < 8; ++i) {
    peers.emplace_back([&] {
      const auto peer = Connect();
      for (int request = 0; request < 20; ++request) {
        if (!peer->Send(kGetSmall)) return;
        const std::string answer = peer->ReceiveResponse();
        const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
        const bool has_tag =
            answer.find("ETag: \"" + HexText(ComputeDigest(body)) + "\"") != std::string::npos;
        if (has_tag && (body == versions[0] || body == versions[1])) ++good_count;
      }
    });
  }
  for (int i = 0; i < 40; ++i) Publish("m", versions[i % 2]);
  for (std::thread& peer : peers) peer.join();
  EXPECT_EQ(good_count, 8 * 20);
}

TEST_F(ServiceTest, FinishesWhatIsInFlightWhenItStops) {
  Start();
  const std::string model = LargeModel(16 * 1024 * 1024);
  Publish("m", model);
  const auto idle = Connect();
  const auto busy = Connect();
  busy->Send(kGetSmall);
  std::string received = busy->ReceiveSome();
  const uint16_t port = service_->port();
  std::thread stopper([&] { service_->Stop(); });
  EXPECT_EQ(idle->ReceiveAll(), "");
  received += busy->ReceiveAll();
  stopper.join();
  EXPECT_EQ(received.size() - received.find("\r\n\r\n") - 4, model.size());
  EXPECT_EQ(ConnectTcp(port), -1);
}

TEST_F(ServiceTest, EndsWhoDoesNotFinishWithinTheStop) {
  options_.limits.stop_max = milliseconds(100);
  Start();
  Publish("m", LargeModel(16 * 1024 * 1024));
  TlsPeer::Options options = Trusting();
  options.receive_buffer_bytes = 4096;
  TlsPeer stuck(service_->port(), options);
  stuck.Send(kGetSmall);
  stuck.ReceiveSome(1);
  service_->Stop();
  service_.reset();
  EXPECT_LT(stuck.ReceiveAll().size(), 16u * 1024 * 1024);
}

TEST_F(ServiceTest, ShowsItsTransparencyLog) {
  Start();
  const auto head = nlohmann::json::parse(Shell("curl -sSf --cacert $CA $URL/log/head"));
  EXPECT_EQ(head["size"], 0);
  EXPECT_THAT(Shell("curl -sSf --cacert $CA $URL/log/key"), StartsWith("-----BEGIN PUBLIC KEY"));
  const auto proof = nlohmann::json::parse(
      Shell("curl -sSf --cacert $CA \"$URL/log/consistency?first=0&second=0\""));
  EXPECT_EQ(proof["path"].size(), 0u);
  for (const char* target :
       {"/log/entries/0", "/log/entries/x", "/log/consistency?first=0&second=1"}) {
    EXPECT_THAT(Ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"),
                StartsWith("HTTP/1.1 404 "))
        << target;
  }
  for (const char* target :
       {"/log/inclusion", "/log/inclusion?leaf=00&size=1", "/log/consistency?first=-1&second=1"}) {
    EXPECT_THAT(Ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"),
                StartsWith("HTTP/1.1 400 "))
        << target;
  }
}

TEST_F(ServiceTest, TakesRootsAndReleasesFromCurlAndAnswersPolls) {
  Start();
  TestPublisher publisher;
  const Result<crypto::P256PublicKey> freshness =
      crypto::DecodePublicPem(directory_.Read("data/freshness.pub.pem"));
  ASSERT_TRUE(freshness.ok());
  publisher.root_spec.freshness_key = *freshness;
  const std::string put =
      "curl -sS -o out -w '%{http_code}' --cacert $CA -H \"Authorization: Bearer "
      "$(cat data/publisher.token)\" -T ";
  WriteBytes("1.cbor", publisher.SignRoot(1));
  EXPECT_EQ(Shell(put + "1.cbor $URL/roots/1"), "201");
  WriteBytes("kws.suit", publisher.Envelope(7, "model"));
  directory_.Write("kws.bin", "model");
  Shell("(printf %08x $(stat -c %s kws.suit) | xxd -r -p; cat kws.suit kws.bin) > kws.release");
  EXPECT_EQ(Shell(put + "kws.release $URL/releases/kws"), "201") << directory_.Read("out");
  EXPECT_EQ(Shell("curl -sSf --cacert $CA $URL/roots/1 | cmp - 1.cbor"), "");
  const std::string by_digest =
      "curl -sSf --cacert $CA $URL/payloads/$(sha256sum < kws.bin | head -c 64)";
  EXPECT_EQ(Shell(by_digest), "model");
  EXPECT_EQ(Shell(by_digest + " -r 2-"), "del");
  EXPECT_EQ(Shell("curl -sSf --cacert $CA $URL/envelopes/$(sha256sum < kws.suit | head -c 64) | "
                  "cmp - kws.suit"),
            "");

  formats::Bytes question(512);
  formats::CborWriter writer(question);
  const formats::Bytes no_components = {0x80};
  formats::PollQuestion asked;
  asked.vendor_id = publisher.vendor_id;
  asked.class_ids[0] = publisher.class_id;
  asked.class_id_count = 1;
  asked.nonce = ByteSpan(publisher.vendor_id).first(8);
  asked.wants_all = true;
  asked.components = no_components;
  WritePollQuestion(writer, asked);
  question.resize(writer.size_needed_bytes());
  WriteBytes("question", question);
  Shell("curl -sSf --cacert $CA --data-binary @question $URL/poll -o answer");
  const std::string answer = directory_.Read("answer");
  const Result<formats::PollAnswer> decoded =
      formats::DecodePollAnswer({reinterpret_cast<const uint8_t*>(answer.data()), answer.size()});
  ASSERT_TRUE(decoded.ok()) << answer;
  EXPECT_EQ(decoded->offer_count(), 1u);
  EXPECT_EQ(Shell("curl -sS -o /dev/null -w '%{http_code}' --cacert $CA -d nonsense $URL/poll"),
            "400");
}

TEST_F(ServiceTest, LogsOneLineForEachRequest) {
  Start();
  Publish("m", "model");
  Ask(kGetSmall);
  Ask("GET /no\"pe HTTP/1.1\r\nHost: a\r\nUser-Agent: evil \"agent\"\r\n\r\n");
  WaitForLog("\"GET /models/m.tflite\" 200 5 ");
  WaitForLog("\"GET /no\\x22pe\" 404 ");
  WaitForLog("\"evil \\x22agent\\x22\"");
}

TEST_F(ServiceTest, SaysWhatKeepsItFromStarting) {
  Start();
  const auto failure = [](const ServiceOptions& options) {
    Expected<std::unique_ptr<Service>> started = Service::Start(options);
    return started.ok() ? std::string("started") : started.error().message;
  };
  ServiceOptions same = options_;
  EXPECT_THAT(failure(same), HasSubstr("another server uses the data directory"));
  ServiceOptions other = options_;
  other.data_directory = directory_.path("other");
  other.listen = "127.0.0.1:" + std::to_string(service_->port());
  EXPECT_THAT(failure(other), HasSubstr("Address already in use; stop the program"));
  other.listen = "no.such.host.invalid:0";
  EXPECT_THAT(failure(other), HasSubstr("cannot listen on no.such.host.invalid:0"));
  other.listen = "127.0.0.1:0";
  other.data_directory = "/proc/nothing";
  EXPECT_THAT(failure(other), HasSubstr("cannot make the directory /proc/nothing"));
  other.data_directory = directory_.path("other");
  other.port_path = directory_.path("absent/port");
  EXPECT_THAT(failure(other), HasSubstr("absent/port: No such file or directory"));
}

TEST_F(ServiceTest, TakesANewCertificateWithoutARestart) {
  Start();
  const std::string ca = service_->ca_path();
  options_.certificate_path = directory_.path("own.pem");
  options_.key_path = directory_.path("own.key");
  directory_.Write("own.pem", directory_.Read("data/tls/server.pem"));
  directory_.Write("own.key", directory_.Read("data/tls/server.key"));
  options_.data_directory = directory_.path("other");
  Start();
  EXPECT_EQ(service_->ca_path(), "");
  TlsPeer::Options options = {.ca_path = ca};
  EXPECT_TRUE(TlsPeer(service_->port(), options).is_open());
  directory_.Write("own.pem", "broken");
  EXPECT_THAT(service_->Reload()->message, HasSubstr("own.pem"));
  EXPECT_TRUE(TlsPeer(service_->port(), options).is_open()) << "the old one stays";
}

}  // namespace
}  // namespace ota::server
