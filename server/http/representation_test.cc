// SPDX-License-Identifier: Apache-2.0
#include "server/http/representation.h"

#include <gtest/gtest.h>

#include <array>

#include "server/http/byte_range.h"

namespace ota::server {
namespace {

using Kind = ByteRange::Kind;

struct RangeCase {
  const char* header;
  Kind kind;
  uint32_t offset;
  uint32_t length;
};

TEST(ByteRange, FollowsRfc9110) {
  constexpr RangeCase kCases[] = {
      {"bytes=0-0", Kind::kPart, 0, 1},
      {"bytes=0-99", Kind::kPart, 0, 100},
      {"bytes=10-", Kind::kPart, 10, 90},
      {"bytes=99-99", Kind::kPart, 99, 1},
      {"bytes=50-1000", Kind::kPart, 50, 50},
      {"bytes=-1", Kind::kPart, 99, 1},
      {"bytes=-1000", Kind::kPart, 0, 100},
      {"  bytes=1-2 ", Kind::kPart, 1, 2},
      {"bytes=5-99999999999999999999999999", Kind::kPart, 5, 95},
      {"bytes=100-", Kind::kUnsatisfiable, 0, 0},
      {"bytes=100-200", Kind::kUnsatisfiable, 0, 0},
      {"bytes=99999999999999999999999999-", Kind::kUnsatisfiable, 0, 0},
      {"bytes=18446744073709551615-", Kind::kUnsatisfiable, 0, 0},
      {"bytes=-0", Kind::kUnsatisfiable, 0, 0},
      {"bytes=0-1,5-6", Kind::kWhole, 0, 0},
      {"bytes=5-4", Kind::kWhole, 0, 0},
      {"bytes=-", Kind::kWhole, 0, 0},
      {"bytes=", Kind::kWhole, 0, 0},
      {"bytes=a-b", Kind::kWhole, 0, 0},
      {"bytes=+1-2", Kind::kWhole, 0, 0},
      {"bytes=--1", Kind::kWhole, 0, 0},
      {"bytes 0-1", Kind::kWhole, 0, 0},
      {"items=0-1", Kind::kWhole, 0, 0},
      {"", Kind::kWhole, 0, 0},
  };
  for (const RangeCase& expected : kCases) {
    const ByteRange range = ParseByteRange(expected.header, 100);
    EXPECT_EQ(range.kind, expected.kind) << expected.header;
    EXPECT_EQ(range.offset, expected.offset) << expected.header;
    EXPECT_EQ(range.length, expected.length) << expected.header;
  }
  EXPECT_EQ(ParseByteRange("bytes=0-", 0).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(ParseByteRange("bytes=-5", 0).kind, Kind::kUnsatisfiable);
}

TEST(EntityTag, IsFoundInLists) {
  constexpr auto kStrong = TagComparison::kStrong;
  EXPECT_TRUE(MatchesEntityTag("\"a\"", "\"a\"", kStrong));
  EXPECT_TRUE(MatchesEntityTag("\"b\" ,\t\"a\"", "\"a\"", kStrong));
  EXPECT_TRUE(MatchesEntityTag("\"x,y\", \"a\"", "\"a\"", kStrong));
  EXPECT_TRUE(MatchesEntityTag("*", "\"a\"", kStrong));
  EXPECT_FALSE(MatchesEntityTag("W/\"a\"", "\"a\"", kStrong));
  EXPECT_TRUE(MatchesEntityTag("W/\"a\"", "\"a\"", TagComparison::kWeak));
  for (const char* list : {"", "a", "\"a", "\"b\"", "W/", ",,,", "\"a\\\""}) {
    EXPECT_FALSE(MatchesEntityTag(list, "\"a\"", kStrong)) << list;
  }
}

class RepresentationTest : public testing::Test {
 protected:
  Response Get(std::vector<Header> headers, std::string method = "GET") {
    Request request;
    request.method = std::move(method);
    request.headers = std::move(headers);
    return ServeRepresentation(
        request,
        {std::make_shared<MemoryByteSource>(bytes_), "\"tag\"", {{"Content-Type", "text/plain"}}});
  }
  static std::string HeaderOf(const Response& response, std::string_view name) {
    for (const Header& header : response.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }
  std::array<uint8_t, 100> bytes_{};
};

TEST_F(RepresentationTest, ServesTheWholeWithItsTag) {
  const Response response = Get({});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body_bytes(), 100u);
  EXPECT_EQ(HeaderOf(response, "ETag"), "\"tag\"");
  EXPECT_EQ(HeaderOf(response, "Accept-Ranges"), "bytes");
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "text/plain");
}

TEST_F(RepresentationTest, ServesPartsOfTheVersionThatIsMeant) {
  const Response part = Get({{"Range", "bytes=10-19"}, {"If-Range", "\"tag\""}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body_bytes(), 10u);
  EXPECT_EQ(HeaderOf(part, "Content-Range"), "bytes 10-19/100");
  EXPECT_EQ(Get({{"Range", "bytes=10-19"}, {"If-Range", "\"old\""}}).status, 200);
  EXPECT_EQ(Get({{"Range", "bytes=10-19"}, {"If-Range", "W/\"tag\""}}).status, 200);
  const std::string date = "Sat, 01 Jan 2022 00:00:00 GMT";
  EXPECT_EQ(Get({{"Range", "bytes=10-19"}, {"If-Range", date}}).status, 200);
  EXPECT_EQ(Get({{"Range", "bytes=10-19"}}, "HEAD").status, 200);
  EXPECT_EQ(Get({{"Range", "bytes=0-0,2-2"}}).status, 200);
}

TEST_F(RepresentationTest, RefusesRangesPastTheEnd) {
  const Response response = Get({{"Range", "bytes=100-"}});
  EXPECT_EQ(response.status, 416);
  EXPECT_EQ(HeaderOf(response, "Content-Range"), "bytes */100");
}

TEST_F(RepresentationTest, ChecksPreconditionsInOrder) {
  EXPECT_EQ(Get({{"If-None-Match", "\"tag\""}}).status, 304);
  EXPECT_EQ(Get({{"If-None-Match", "\"old\""}}).status, 200);
  EXPECT_EQ(Get({{"If-Match", "\"old\""}, {"If-None-Match", "\"tag\""}}).status, 412);
  EXPECT_EQ(Get({{"If-Match", "\"tag\""}, {"Range", "bytes=0-1"}}).status, 206);
  EXPECT_EQ(Get({{"If-None-Match", "*"}, {"Range", "bytes=0-1"}}).status, 304);
}

}  // namespace
}  // namespace ota::server
