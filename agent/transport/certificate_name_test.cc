// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/certificate_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ota::agent {
namespace {

using testing::ElementsAre;

std::vector<uint8_t> Address(std::string_view text) {
  const std::optional<IpAddress> address = ParseIpAddress(text);
  if (!address) return {};
  return {address->span().begin(), address->span().end()};
}

TEST(IpAddress, ReadsBothVersions) {
  EXPECT_THAT(Address("127.0.0.1"), ElementsAre(127, 0, 0, 1));
  EXPECT_THAT(Address("255.255.255.255"), ElementsAre(255, 255, 255, 255));
  EXPECT_THAT(Address("::1"), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
  EXPECT_THAT(Address("::"), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(Address("2001:DB8::a:0:1"),
              ElementsAre(0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1));
  EXPECT_THAT(Address("1:2:3:4:5:6:7:8"),
              ElementsAre(0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8));
  EXPECT_THAT(Address("::ffff:1.2.3.4"),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4));
  EXPECT_THAT(Address("fe80::"), ElementsAre(0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

TEST(IpAddress, IsNotReadFromAnythingElse) {
  for (const char* const text : {"",
                                 "localhost",
                                 "1.2.3",
                                 "1.2.3.4.5",
                                 "256.1.1.1",
                                 "01.2.3.4",
                                 "1.2.3.",
                                 ".1.2.3",
                                 "1.2.3.4 ",
                                 "0x7f.0.0.1",
                                 "1:2:3:4:5:6:7",
                                 "1:2:3:4:5:6:7:8:9",
                                 "1:2:3:4:5:6:7::8:9",
                                 ":1",
                                 "1:",
                                 "1::2::3",
                                 "12345::",
                                 "g::",
                                 "[::1]",
                                 "::1%eth0",
                                 "::1.2.3",
                                 "1:2:3:4:5:6:7:1.2.3.4",
                                 ":::",
                                 "1:2:3:4:5:6:7:"}) {
    EXPECT_FALSE(ParseIpAddress(text).has_value()) << text;
  }
}

TEST(DnsName, MatchesWithoutCaseAndByLeftmostWildcardOnly) {
  EXPECT_TRUE(IsDnsNameMatch("updates.example.com", "Updates.Example.COM"));
  EXPECT_TRUE(IsDnsNameMatch("updates.example.com", "updates.example.com."));
  EXPECT_TRUE(IsDnsNameMatch("*.example.com", "updates.example.com"));
  EXPECT_TRUE(IsDnsNameMatch("localhost", "localhost"));

  EXPECT_FALSE(IsDnsNameMatch("*.example.com", "example.com"));
  EXPECT_FALSE(IsDnsNameMatch("*.example.com", ".example.com"));
  EXPECT_FALSE(IsDnsNameMatch("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(IsDnsNameMatch("*.com", "example.com"));
  EXPECT_FALSE(IsDnsNameMatch("*", "localhost"));
  EXPECT_FALSE(IsDnsNameMatch("up*.example.com", "updates.example.com"));
  EXPECT_FALSE(IsDnsNameMatch("*.*.com", "a.b.com"));
  EXPECT_FALSE(IsDnsNameMatch("example.com", "example.co"));
  EXPECT_FALSE(IsDnsNameMatch("", "localhost"));
  EXPECT_FALSE(IsDnsNameMatch("localhost", ""));
  EXPECT_FALSE(IsDnsNameMatch(std::string_view("localhost\0.evil", 15), "localhost"));
}

}  // namespace
}  // namespace ota::agent
