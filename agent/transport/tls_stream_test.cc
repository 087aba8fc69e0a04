// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/tls_stream.h"

#include <gtest/gtest.h>

#include <ctime>
#include <vector>

#include "agent/port/posix/posix_network.h"
#include "agent/transport/test_tls_peer.h"
#include "agent/transport/tls_memory.h"

namespace ota::agent {
namespace {

constexpr int kStepCountMax = 100000;
constexpr int64_t kDay = 86400;

const std::string kRequest = "GET / HTTP/1.1\r\n\r\n";

std::string AnswerPlainly(const std::string&) { return "hello, device"; }

class TlsStreamTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Where the build has them, the pool and the splitting that boards use.
    static std::vector<uint8_t> pool(64 * 1024);
    static const Status has_pool = ProvideTlsMemory(pool);
    if (IsOk(has_pool)) {
      ASSERT_EQ(SetCurveBudget(200), Status::kOk);
    }
  }

  TestIdentity MakeServer(const std::string& names, int64_t from_s = -kDay, int64_t to_s = kDay,
                          int curve = NID_X9_62_prime256v1) {
    return MakeTestIdentity({.subject = "server",
                             .alternative_names = names,
                             .valid_from_s = from_s,
                             .valid_to_s = to_s,
                             .issuer = &authority_,
                             .curve = curve});
  }

  ByteSpan ca() { return {reinterpret_cast<const uint8_t*>(ca_pem_.c_str()), ca_pem_.size() + 1}; }

  Status ShakeHands(TlsStream& stream, TestTlsPeer& peer, const std::string& host) {
    const Status status =
        stream.Open(peer, {.host = host, .ca = ca(), .unix_time_s = std::time(nullptr)});
    if (!IsOk(status)) return status;
    return Drive(stream);
  }

  Status Drive(TlsStream& stream) {
    for (int step = 0; step < kStepCountMax; ++step) {
      ++step_count_;
      const Status status = stream.Handshake();
      if (status != Status::kBusy) return status;
    }
    return Status::kTimedOut;
  }

  /// Handshake against a server with that identity.
  Status Connect(const TestIdentity& server, const std::string& host) {
    TestTlsPeer peer(server, AnswerPlainly);
    TlsStream stream(entropy_);
    return ShakeHands(stream, peer, host);
  }

  Result<std::string> Talk(TlsStream& stream) {
    const ByteSpan request(reinterpret_cast<const uint8_t*>(kRequest.data()), kRequest.size());
    for (size_t sent = 0; sent < request.size();) {
      const Result<size_t> count = stream.Write(request.subspan(sent));
      if (count.status() == Status::kBusy) continue;
      if (!count.ok()) return count.status();
      sent += *count;
    }
    std::string answer;
    std::array<uint8_t, 5> piece;
    for (int step = 0; step < kStepCountMax && answer.size() < 13; ++step) {
      const Result<size_t> count = stream.Read(piece);
      if (count.status() == Status::kBusy) continue;
      if (!count.ok()) return count.status();
      answer.append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*count));
    }
    return answer;
  }

  PosixEntropy entropy_;
  TestIdentity authority_ = MakeTestIdentity({.subject = "authority"});
  std::string ca_pem_ = authority_.ToPem();
  int step_count_ = 0;
};

TEST_F(TlsStreamTest, TalksToATrustedServer) {
  TestTlsPeer peer(MakeServer("DNS:updates.example.com"), AnswerPlainly);
  peer.close_after_answers = 1;
  TlsStream stream(entropy_);
  ASSERT_EQ(ShakeHands(stream, peer, "updates.example.com"), Status::kOk);
  EXPECT_STREQ(SSL_get_version(peer.ssl()), "TLSv1.2");
  EXPECT_STREQ(SSL_get_servername(peer.ssl(), TLSEXT_NAMETYPE_host_name), "updates.example.com");
  const Result<std::string> answer = Talk(stream);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(*answer, "hello, device");
  std::array<uint8_t, 5> piece;
  EXPECT_EQ(stream.Read(piece).status(), Status::kEndOfInput);
}

TEST_F(TlsStreamTest, AsksForSmallFragments) {
  for (const uint16_t fragment_bytes : std::to_array<uint16_t>({512, 1024, 2048})) {
    TestTlsPeer peer(MakeServer("DNS:h"), AnswerPlainly);
    TlsStream stream(entropy_);
    ASSERT_EQ(stream.Open(peer, {.host = "h",
                                 .ca = ca(),
                                 .unix_time_s = std::nullopt,
                                 .fragment_bytes_max = fragment_bytes}),
              Status::kOk);
    ASSERT_EQ(Drive(stream), Status::kOk);
    EXPECT_EQ(SSL_SESSION_get_max_fragment_length(SSL_get_session(peer.ssl())),
              fragment_bytes == 512    ? TLSEXT_max_fragment_length_512
              : fragment_bytes == 1024 ? TLSEXT_max_fragment_length_1024
                                       : TLSEXT_max_fragment_length_2048);
  }
}

TEST_F(TlsStreamTest, TakesTheAuthorityAsDerToo) {
  const std::string der = authority_.ToDer();
  TestTlsPeer peer(MakeServer("DNS:h"), AnswerPlainly);
  TlsStream stream(entropy_);
  const ByteSpan ca(reinterpret_cast<const uint8_t*>(der.data()), der.size());
  ASSERT_EQ(stream.Open(peer, {.host = "h", .ca = ca, .unix_time_s = std::nullopt}), Status::kOk);
  EXPECT_EQ(Drive(stream), Status::kOk);
}

TEST_F(TlsStreamTest, ChecksTheHostName) {
  const TestIdentity by_name = MakeServer("DNS:updates.example.com,DNS:*.example.org");
  EXPECT_EQ(Connect(by_name, "updates.example.com"), Status::kOk);
  EXPECT_EQ(Connect(by_name, "eu.example.org"), Status::kOk);
  EXPECT_EQ(Connect(by_name, "example.com"), Status::kHostNameMismatch);
  EXPECT_EQ(Connect(by_name, "127.0.0.1"), Status::kHostNameMismatch);

  const TestIdentity by_address = MakeServer("DNS:localhost,IP:127.0.0.1,IP:::1");
  EXPECT_EQ(Connect(by_address, "127.0.0.1"), Status::kOk);
  EXPECT_EQ(Connect(by_address, "::1"), Status::kOk);
  EXPECT_EQ(Connect(by_address, "localhost"), Status::kOk);
  EXPECT_EQ(Connect(by_address, "127.0.0.2"), Status::kHostNameMismatch);

  // A dNSName that reads like an address is none; and the common name counts for nothing.
  EXPECT_EQ(Connect(MakeServer("DNS:127.0.0.1"), "127.0.0.1"), Status::kHostNameMismatch);
  EXPECT_EQ(Connect(MakeServer(""), "server"), Status::kHostNameMismatch);
}

TEST_F(TlsStreamTest, TrustsOnlyTheGivenAuthority) {
  const TestIdentity other = MakeTestIdentity({.subject = "other"});
  const TestIdentity impostor = MakeTestIdentity({.subject = "authority"});  // same name, other key
  const auto make = [](const TestIdentity& issuer) {
    return MakeTestIdentity({.subject = "server", .alternative_names = "DNS:h", .issuer = &issuer});
  };
  EXPECT_EQ(Connect(make(authority_), "h"), Status::kOk);
  EXPECT_EQ(Connect(make(other), "h"), Status::kCertificateUntrusted);
  EXPECT_EQ(Connect(make(impostor), "h"), Status::kCertificateUntrusted);
  EXPECT_EQ(Connect(MakeTestIdentity({.alternative_names = "DNS:h"}), "h"),
            Status::kCertificateUntrusted);
  // A certificate that the authority issued to a server does not make that server an authority.
  const TestIdentity server = make(authority_);
  EXPECT_EQ(Connect(make(server), "h"), Status::kCertificateUntrusted);
}

TEST_F(TlsStreamTest, ChecksTheDatesByTheClockThatItIsGiven) {
  const TestIdentity expired = MakeServer("DNS:h", -2 * kDay, -kDay);
  const TestIdentity future = MakeServer("DNS:h", kDay / 2, kDay);
  EXPECT_EQ(Connect(expired, "h"), Status::kCertificateExpired);
  EXPECT_EQ(Connect(future, "h"), Status::kCertificateNotYetValid);

  const auto connect_at = [&](const TestIdentity& server, std::optional<int64_t> time_s) {
    TestTlsPeer peer(server, AnswerPlainly);
    TlsStream stream(entropy_);
    const Status status = stream.Open(peer, {.host = "h", .ca = ca(), .unix_time_s = time_s});
    return IsOk(status) ? Drive(stream) : status;
  };
  const int64_t now_s = std::time(nullptr);
  EXPECT_EQ(connect_at(expired, std::nullopt), Status::kOk);
  // The authority's own certificate is one day old.
  EXPECT_EQ(connect_at(expired, now_s - kDay + 60), Status::kCertificateExpired);
  EXPECT_EQ(connect_at(future, now_s + kDay * 3 / 4), Status::kOk);
  EXPECT_EQ(connect_at(future, now_s + 2 * kDay), Status::kCertificateExpired);
  EXPECT_EQ(connect_at(future, 0), Status::kCertificateNotYetValid);
}

TEST_F(TlsStreamTest, RefusesAnotherCurveOrVersion) {
  EXPECT_FALSE(IsOk(Connect(MakeServer("DNS:h", -kDay, kDay, NID_secp384r1), "h")));

  TestTlsPeer peer(MakeServer("DNS:h"), AnswerPlainly);
  SSL_set_max_proto_version(const_cast<SSL*>(peer.ssl()), TLS1_1_VERSION);
  SSL_set_security_level(const_cast<SSL*>(peer.ssl()), 0);
  TlsStream stream(entropy_);
  EXPECT_EQ(ShakeHands(stream, peer, "h"), Status::kTlsFailed);
}

TEST_F(TlsStreamTest, SaysLostWhereverTheLinkDies) {
  const TestIdentity server = MakeServer("DNS:h");
  uint64_t handshake_bytes = 0;
  {
    TestTlsPeer peer(server, AnswerPlainly);
    TlsStream stream(entropy_);
    ASSERT_EQ(ShakeHands(stream, peer, "h"), Status::kOk);
    handshake_bytes = peer.sent_bytes();
  }
  for (uint64_t cut = 0; cut < handshake_bytes; cut += 7) {
    TestTlsPeer peer(server, AnswerPlainly);
    peer.cut_after_bytes = cut;
    TlsStream stream(entropy_);
    ASSERT_EQ(ShakeHands(stream, peer, "h"), Status::kConnectionLost) << cut;
    ASSERT_EQ(stream.Handshake(), Status::kConnectionLost) << "stays dead";
  }
  TestTlsPeer peer(server, AnswerPlainly);
  peer.cut_after_bytes = handshake_bytes + 20;
  TlsStream stream(entropy_);
  ASSERT_EQ(ShakeHands(stream, peer, "h"), Status::kOk);
  EXPECT_EQ(Talk(stream).status(), Status::kConnectionLost);
}

TEST_F(TlsStreamTest, NeverGivesOutBytesThatWereChangedOnTheirWay) {
  const TestIdentity server = MakeServer("DNS:h");
  uint64_t total_bytes = 0;
  {
    TestTlsPeer peer(server, AnswerPlainly);
    TlsStream stream(entropy_);
    ASSERT_EQ(ShakeHands(stream, peer, "h"), Status::kOk);
    ASSERT_TRUE(Talk(stream).ok());
    total_bytes = peer.sent_bytes();
  }
  // Behind the answer comes the close alert, 31 bytes; signatures are some bytes longer or shorter.
  for (uint64_t at = 0; at + 31 + 9 < total_bytes; at += 11) {
    TestTlsPeer peer(server, AnswerPlainly);
    peer.flipped_byte = at;
    TlsStream stream(entropy_);
    const Status status = ShakeHands(stream, peer, "h");
    if (!IsOk(status)) continue;
    const Result<std::string> answer = Talk(stream);
    EXPECT_FALSE(answer.ok()) << "byte " << at;
  }
}

TEST_F(TlsStreamTest, RefusesBadArguments) {
  TestTlsPeer peer(MakeServer("DNS:h"), AnswerPlainly);
  TlsStream stream(entropy_);
  const std::string nonsense = "nonsense";
  const ByteSpan bad(reinterpret_cast<const uint8_t*>(nonsense.c_str()), nonsense.size());
  EXPECT_EQ(stream.Open(peer, {.host = "", .ca = ca(), .unix_time_s = std::nullopt}),
            Status::kInvalidArgument);
  EXPECT_EQ(stream.Open(peer, {.host = "h", .ca = bad, .unix_time_s = std::nullopt}),
            Status::kTrustAnchorInvalid);
  EXPECT_EQ(stream.Open(peer, {.host = "h", .ca = {}, .unix_time_s = std::nullopt}),
            Status::kInvalidArgument);
  EXPECT_EQ(
      stream.Open(peer, {.host = std::string(300, 'h'), .ca = ca(), .unix_time_s = std::nullopt}),
      Status::kInvalidArgument);
  EXPECT_EQ(
      stream.Open(
          peer, {.host = "h", .ca = ca(), .unix_time_s = std::nullopt, .fragment_bytes_max = 300}),
      Status::kInvalidArgument);
  EXPECT_EQ(stream.Handshake(), Status::kWrongState);
  std::array<uint8_t, 1> byte;
  EXPECT_EQ(stream.Read(byte).status(), Status::kWrongState);
}

TEST_F(TlsStreamTest, SplitsTheHandshakeWhereTheBuildCan) {
  if (SetCurveBudget(200) == Status::kNotSupported) {
    GTEST_SKIP() << "this Mbed TLS computes curves in one go";
  }
  EXPECT_EQ(Connect(MakeServer("DNS:h"), "h"), Status::kOk);
  EXPECT_GT(step_count_, 60);
}

}  // namespace
}  // namespace ota::agent
