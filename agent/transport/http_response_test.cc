// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/http_response.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace ota::agent {
namespace {

using Method = HttpResponseParser::RequestMethod;

struct Outcome {
  Status status = Status::kOk;
  bool is_complete = false;
  HttpHead head;
  std::string body;

  bool operator==(const Outcome& other) const {
    return status == other.status && is_complete == other.is_complete && body == other.body &&
           head.status == other.head.status && head.etag() == other.head.etag() &&
           head.content_range == other.head.content_range &&
           head.retry_after_s == other.head.retry_after_s &&
           head.keeps_connection == other.head.keeps_connection;
  }
};

ByteSpan AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void Feed(HttpResponseParser& parser, ByteSpan bytes, Outcome& outcome) {
  while (!bytes.empty() && IsOk(outcome.status)) {
    const auto progress = parser.Consume(bytes);
    outcome.status = progress.status();
    if (!progress.ok()) return;
    outcome.body.append(progress->body.begin(), progress->body.end());
    bytes = bytes.subspan(progress->consumed_bytes);
  }
}

/// Parses `text` cut into two pieces at `cut`, or into single bytes with `piece_bytes` 1.
Outcome Parse(const std::string& text, size_t cut = std::string::npos,
              Method method = Method::kGet) {
  HttpResponseParser parser;
  parser.Start(method);
  Outcome outcome;
  const ByteSpan bytes = AsBytes(text);
  const size_t at = std::min(cut, bytes.size());
  Feed(parser, bytes.first(at), outcome);
  if (IsOk(outcome.status)) Feed(parser, bytes.subspan(at), outcome);
  outcome.is_complete = parser.is_complete();
  if (parser.is_head_complete()) outcome.head = parser.head();
  return outcome;
}

Outcome ParseBytewise(const std::string& text) {
  HttpResponseParser parser;
  parser.Start(Method::kGet);
  Outcome outcome;
  for (size_t i = 0; i < text.size() && IsOk(outcome.status); ++i) {
    Feed(parser, AsBytes(text).subspan(i, 1), outcome);
  }
  outcome.is_complete = parser.is_complete();
  if (parser.is_head_complete()) outcome.head = parser.head();
  return outcome;
}

const std::string kPartial =
    "HTTP/1.1 206 Partial Content\r\nServer: x\r\nETag: \"abc\"\r\nContent-Range: bytes "
    "5-9/10\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello";

TEST(HttpResponse, ReadsAPartialAnswer) {
  const Outcome outcome = Parse(kPartial);
  EXPECT_EQ(outcome.status, Status::kOk);
  EXPECT_TRUE(outcome.is_complete);
  EXPECT_EQ(outcome.head.status, 206);
  EXPECT_EQ(outcome.head.etag(), "\"abc\"");
  EXPECT_EQ(outcome.head.content_range, (HttpHead::ContentRange{5, 9, 10}));
  EXPECT_EQ(outcome.head.content_bytes, 5u);
  EXPECT_TRUE(outcome.head.keeps_connection);
  EXPECT_EQ(outcome.body, "hello");
}

TEST(HttpResponse, GivesTheSameResultHoweverTheBytesAreCut) {
  const std::string long_line(3000, 'x');
  const std::string answers[] = {
      kPartial,
      "HTTP/1.1 200 OK\r\ncontent-length:  3  \r\nX-Long: " + long_line + "\r\n\r\nabc",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 503 \r\nRetry-After: 7\r\nConnection: x, CLOSE\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd",
      "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc"};
  for (const std::string& answer : answers) {
    const Outcome whole = Parse(answer);
    EXPECT_TRUE(ParseBytewise(answer) == whole) << answer.substr(0, 80);
    for (size_t cut = 0; cut <= answer.size(); ++cut) {
      ASSERT_TRUE(Parse(answer, cut) == whole) << "cut at " << cut << ": " << answer.substr(0, 80);
    }
  }
}

TEST(HttpResponse, IsIncompleteUntilItsLastByte) {
  for (size_t length = 0; length < kPartial.size(); ++length) {
    const Outcome outcome = Parse(kPartial.substr(0, length));
    EXPECT_EQ(outcome.status, Status::kOk) << length;
    EXPECT_FALSE(outcome.is_complete) << length;
  }
}

TEST(HttpResponse, RefusesBytesBehindTheAnnouncedLength) {
  EXPECT_EQ(Parse(kPartial + "!").status, Status::kPayloadTooLarge);
  EXPECT_EQ(Parse("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\nx").status,
            Status::kPayloadTooLarge);
}

TEST(HttpResponse, RefusesAnswersWhoseLengthIsNotAnnounced) {
  EXPECT_EQ(Parse("HTTP/1.1 200 OK\r\n\r\n").status, Status::kHttpLengthUnknown);
  EXPECT_EQ(
      Parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n").status,
      Status::kHttpLengthUnknown);
}

TEST(HttpResponse, ExpectsNoBodyWhereThereIsNone) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
  EXPECT_TRUE(Parse(head, std::string::npos, Method::kHead).is_complete);
  EXPECT_EQ(Parse(head, std::string::npos, Method::kHead).head.content_bytes, 10u);
  EXPECT_TRUE(Parse("HTTP/1.1 204 No Content\r\n\r\n").is_complete);
}

TEST(HttpResponse, RefusesWhatIsNotHttp) {
  const std::string bad_heads[] = {
      "HTTP/2 200 OK\r\n\r\n",
      "HTTP/1.2 200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      " HTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\n\n",
      "HTTP/1.1 200 OK\rX\r\n\r\n",
      std::string("HTTP/1.1 200 O\0K\r\n\r\n", 19),
      "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\n Folded: 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "HTTP/1.1 206 OK\r\nContent-Range: bytes 9-5/10\r\nContent-Length: 1\r\n\r\n",
      "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-10/10\r\nContent-Length: 1\r\n\r\n",
      "HTTP/1.1 206 OK\r\nContent-Range: bits 0-9/10\r\nContent-Length: 1\r\n\r\n"};
  for (const std::string& head : bad_heads) {
    EXPECT_EQ(Parse(head).status, Status::kHttpMalformed) << head;
  }
}

TEST(HttpResponse, StaysRefused) {
  HttpResponseParser parser;
  parser.Start(Method::kGet);
  EXPECT_EQ(parser.Consume(AsBytes("nonsense\r\n")).status(), Status::kHttpMalformed);
  EXPECT_EQ(parser.Consume(AsBytes(kPartial)).status(), Status::kHttpMalformed);
  parser.Start(Method::kGet);
  EXPECT_TRUE(parser.Consume(AsBytes(kPartial)).ok());
}

TEST(HttpResponse, BoundsTheHeaderSection) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (size_t i = 0; i <= HttpResponseParser::kHeaderCountMax; ++i) many += "A: b\r\n";
  EXPECT_EQ(Parse(many).status, Status::kHttpHeadTooLarge);

  const std::string endless =
      "HTTP/1.1 200 OK\r\nA: " + std::string(HttpResponseParser::kHeadBytesMax, 'x');
  EXPECT_EQ(Parse(endless).status, Status::kHttpHeadTooLarge);

  std::string interim;
  while (interim.size() <= HttpResponseParser::kHeadBytesMax) {
    interim += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  EXPECT_EQ(Parse(interim).status, Status::kHttpHeadTooLarge);

  // A header that matters may not be cut; one that does not may.
  const std::string zeros(HttpResponseParser::kLineBytesMax, '0');
  EXPECT_EQ(Parse("HTTP/1.1 200 OK\r\nContent-Length: " + zeros + "1\r\n\r\n").status,
            Status::kHttpHeadTooLarge);
  EXPECT_EQ(Parse("HTTP/1.1 200 OK\r\n" + zeros + ": name too long\r\n\r\n").status,
            Status::kHttpHeadTooLarge);
}

TEST(HttpResponse, TakesOnlyStrongEtagsThatItCanKeep) {
  const auto etag = [](const std::string& value) {
    return std::string(
        Parse("HTTP/1.1 200 OK\r\nETag: " + value + "\r\nContent-Length: 0\r\n\r\n").head.etag());
  };
  EXPECT_EQ(etag("\"x\""), "\"x\"");
  EXPECT_EQ(etag("W/\"x\""), "");
  EXPECT_EQ(etag("x"), "");
  EXPECT_EQ(etag("\"x\"y\""), "");
  EXPECT_EQ(etag('"' + std::string(64, 'a') + '"'), '"' + std::string(64, 'a') + '"');
  EXPECT_EQ(etag('"' + std::string(79, 'a') + '"'), "");
}

}  // namespace
}  // namespace ota::agent
