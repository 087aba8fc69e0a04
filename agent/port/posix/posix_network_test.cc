// SPDX-License-Identifier: Apache-2.0
#include "agent/port/posix/posix_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace ota::agent {
namespace {

constexpr int kTryCountMax = 5000;  // each rests at most 10 ms

/// A socket of this host that listens on a port that the system chose.
class Listener {
 public:
  Listener() {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, generic, length), 0);
    EXPECT_EQ(getsockname(socket_, generic, &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(socket_); }

  void Listen() { EXPECT_EQ(listen(socket_, 4), 0); }
  int Accept() { return accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }
  uint16_t port() const { return port_; }

 private:
  int socket_;
  uint16_t port_ = 0;
};

Result<ByteStream*> ConnectTo(PosixNetwork& network, std::string_view host, uint16_t port) {
  for (int i = 0; i < kTryCountMax; ++i) {
    const Result<ByteStream*> stream = network.Connect(host, port);
    if (stream.status() != Status::kBusy) return stream;
    network.WaitForActivity(10);
  }
  return Status::kTimedOut;
}

Result<size_t> ReadFrom(PosixNetwork& network, ByteStream& stream, MutableByteSpan target) {
  for (int i = 0; i < kTryCountMax; ++i) {
    const Result<size_t> count = stream.Read(target);
    if (count.status() != Status::kBusy) return count;
    network.WaitForActivity(10);
  }
  return Status::kTimedOut;
}

TEST(PosixNetwork, TalksOverTcp) {
  for (const char* const host : {"127.0.0.1", "localhost"}) {
    Listener listener;
    listener.Listen();
    PosixNetwork network;
    const Result<ByteStream*> stream = ConnectTo(network, host, listener.port());
    ASSERT_TRUE(stream.ok()) << host << ": " << StatusName(stream.status());
    const int peer = listener.Accept();
    std::array<uint8_t, 8> bytes = {};
    EXPECT_EQ((*stream)->Read(bytes).status(), Status::kBusy);
    const std::array<uint8_t, 3> hello = {1, 2, 3};
    EXPECT_EQ(*(*stream)->Write(hello), 3u);
    EXPECT_EQ(recv(peer, bytes.data(), bytes.size(), 0), 3);
    EXPECT_EQ(send(peer, "ab", 2, 0), 2);
    const Result<size_t> count = ReadFrom(network, **stream, bytes);
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(*count, 2u);
    close(peer);
    EXPECT_EQ(ReadFrom(network, **stream, bytes).status(), Status::kEndOfInput);
    network.Disconnect();
    EXPECT_EQ((*stream)->Read(bytes).status(), Status::kConnectionLost);
  }
}

TEST(PosixNetwork, SaysWhyItCannotConnect) {
  Listener silent;  // bound, but nobody listens
  PosixNetwork network;
  EXPECT_EQ(ConnectTo(network, "127.0.0.1", silent.port()).status(), Status::kConnectionRefused);
  EXPECT_EQ(ConnectTo(network, "no-such-host.invalid", 1).status(), Status::kHostNotFound);
}

TEST(PosixNetwork, ConnectsAgainAfterAFailure) {
  Listener listener;
  PosixNetwork network;
  EXPECT_EQ(ConnectTo(network, "127.0.0.1", listener.port()).status(), Status::kConnectionRefused);
  listener.Listen();
  EXPECT_TRUE(ConnectTo(network, "127.0.0.1", listener.port()).ok());
}

TEST(PosixNetwork, CanBeGivenUpInTheMiddle) {
  PosixNetwork network;
  EXPECT_EQ(network.Connect("no-such-host.invalid", 1).status(), Status::kBusy);
  network.Disconnect();
  Listener listener;
  listener.Listen();
  EXPECT_TRUE(ConnectTo(network, "127.0.0.1", listener.port()).ok());
}

TEST(PosixPort, SuppliesTimeAndRandomness) {
  std::array<uint8_t, 32> first = {};
  std::array<uint8_t, 32> second = {};
  PosixEntropy entropy;
  EXPECT_EQ(entropy.Fill(first), Status::kOk);
  EXPECT_EQ(entropy.Fill(second), Status::kOk);
  EXPECT_NE(first, second);
  const PosixClock clock;
  const uint64_t before_ms = clock.now_ms();
  EXPECT_LE(before_ms, clock.now_ms());
  EXPECT_GT(PosixCalendar().unix_time_s().value_or(0), 1'700'000'000);
}

}  // namespace
}  // namespace ota::agent
