// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/http_client.h"

#include <gtest/gtest.h>

#include <array>

#include "agent/transport/test_streams.h"

namespace ota::agent {
namespace {

constexpr size_t kStepCountMax = 100000;

std::string Encode(const HttpRequest& request) {
  std::array<uint8_t, 512> buffer;
  const Result<ByteSpan> text = EncodeHttpRequest(request, buffer);
  return text.ok() ? std::string(text->begin(), text->end())
                   : "status " + std::string(StatusName(text.status()));
}

TEST(HttpRequest, IsWrittenAsTheStandardSays) {
  EXPECT_EQ(Encode({.host = "h:8443", .target = "/models/a.tflite"}),
            "GET /models/a.tflite HTTP/1.1\r\nHost: h:8443\r\nAccept-Encoding: identity\r\n\r\n");
  EXPECT_EQ(Encode({.host = "h", .target = "/a", .range_first = 4096, .if_range = "\"x\""}),
            "GET /a HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\n"
            "Range: bytes=4096-\r\nIf-Range: \"x\"\r\n\r\n");
  const std::array<uint8_t, 3> body = {1, 2, 3};
  EXPECT_EQ(Encode({.method = HttpRequest::Method::kPost,
                    .host = "h",
                    .target = "/poll",
                    .content_type = "application/cbor",
                    .authorization = "Bearer t",
                    .body = body}),
            "POST /poll HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\n"
            "Authorization: Bearer t\r\nContent-Type: application/cbor\r\n"
            "Content-Length: 3\r\n\r\n");
}

TEST(HttpRequest, RefusesFieldsThatWouldBreakOutOfTheirLine) {
  const std::string refusal = "status InvalidArgument";
  EXPECT_EQ(Encode({.host = "h", .target = "a"}), refusal);
  EXPECT_EQ(Encode({.host = "h", .target = "/a b"}), refusal);
  EXPECT_EQ(Encode({.host = "h", .target = "/a\r\nX: y"}), refusal);
  EXPECT_EQ(Encode({.host = "h\r\nX: y", .target = "/"}), refusal);
  EXPECT_EQ(Encode({.host = "", .target = "/"}), refusal);
  EXPECT_EQ(Encode({.host = "h", .target = "/", .range_first = 1, .if_range = "\"\r\n\""}),
            refusal);
  EXPECT_EQ(Encode({.host = "h", .target = "/", .authorization = "a\nb"}), refusal);
  EXPECT_EQ(Encode({.host = "h", .target = '/' + std::string(600, 'a')}), "status BufferTooSmall");
}

struct Exchange {
  Status status = Status::kOk;  ///< kOk: a kEnd came
  std::string body;
  int head_count = 0;
};

Exchange RunExchange(HttpClient& client, ByteStream& stream, const HttpRequest& request) {
  Exchange exchange;
  exchange.status = client.Start(stream, request);
  for (size_t step = 0; IsOk(exchange.status) && step < kStepCountMax; ++step) {
    const Result<HttpClient::Event> event = client.Step();
    if (event.status() == Status::kBusy) continue;
    if (!event.ok()) {
      exchange.status = event.status();
      return exchange;
    }
    if (event->kind == HttpClient::EventKind::kHead) ++exchange.head_count;
    exchange.body.append(event->body.begin(), event->body.end());
    if (event->kind == HttpClient::EventKind::kEnd) return exchange;
  }
  return exchange;
}

const HttpRequest kRequest = {.host = "h", .target = "/a"};
const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";

TEST(HttpClient, BringsTheBodyHoweverTheStreamCutsIt) {
  for (size_t piece_bytes = 1; piece_bytes <= kAnswer.size() + 1; ++piece_bytes) {
    std::array<uint8_t, 128> buffer;
    HttpClient client(buffer);
    ScriptedStream stream(kAnswer, piece_bytes);
    const Exchange exchange = RunExchange(client, stream, kRequest);
    EXPECT_EQ(exchange.status, Status::kOk) << piece_bytes;
    EXPECT_EQ(exchange.body, "0123456789");
    EXPECT_EQ(exchange.head_count, 1);
    EXPECT_EQ(stream.written(), Encode(kRequest));
  }
}

TEST(HttpClient, SaysLostWhereverThePeerStops) {
  for (size_t length = 0; length < kAnswer.size(); ++length) {
    std::array<uint8_t, 128> buffer;
    HttpClient client(buffer);
    ScriptedStream stream(kAnswer.substr(0, length), 7);
    const Exchange exchange = RunExchange(client, stream, kRequest);
    EXPECT_EQ(exchange.status, Status::kConnectionLost) << length;
    EXPECT_EQ(client.Step().status(), Status::kWrongState);
    EXPECT_EQ(exchange.body, std::string("0123456789").substr(0, exchange.body.size()));
  }
}

TEST(HttpClient, SaysLostWhereverTheRequestIsStopped) {
  for (size_t taken = 0; taken < Encode(kRequest).size(); ++taken) {
    std::array<uint8_t, 128> buffer;
    HttpClient client(buffer);
    ScriptedStream stream(kAnswer, 1);
    stream.written_bytes_max = taken;
    EXPECT_EQ(RunExchange(client, stream, kRequest).status, Status::kConnectionLost) << taken;
  }
}

TEST(HttpClient, SendsTheBodyOfARequest) {
  std::array<uint8_t, 256> buffer;
  std::array<uint8_t, 1000> body;
  body.fill('b');
  HttpClient client(buffer);
  ScriptedStream stream("HTTP/1.1 204 No Content\r\n\r\n", 13);
  const HttpRequest request = {
      .method = HttpRequest::Method::kPost, .host = "h", .target = "/", .body = body};
  EXPECT_EQ(RunExchange(client, stream, request).status, Status::kOk);
  EXPECT_TRUE(stream.written().ends_with("\r\n\r\n" + std::string(1000, 'b')));
}

TEST(HttpClient, RefusesMoreThanWasAnnounced) {
  std::array<uint8_t, 256> buffer;
  HttpClient client(buffer);
  ScriptedStream stream(kAnswer + "x", 1000);
  EXPECT_EQ(RunExchange(client, stream, kRequest).status, Status::kPayloadTooLarge);
}

TEST(HttpClient, DoesNothingBeforeItIsStarted) {
  std::array<uint8_t, 256> buffer;
  HttpClient client(buffer);
  EXPECT_EQ(client.Step().status(), Status::kWrongState);
}

}  // namespace
}  // namespace ota::agent
