// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/server_address.h"

#include <gtest/gtest.h>

namespace ota::agent {
namespace {

TEST(ServerAddress, IsReadFromItsText) {
  const Result<ServerAddress> plain = ParseServerAddress("https://updates.example.com");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "updates.example.com");
  EXPECT_EQ(plain->port, 443);
  EXPECT_EQ(plain->authority, "updates.example.com");
  EXPECT_EQ(plain->path, "");

  const Result<ServerAddress> full = ParseServerAddress("https://127.0.0.1:8443/mirror/a/");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->host, "127.0.0.1");
  EXPECT_EQ(full->port, 8443);
  EXPECT_EQ(full->authority, "127.0.0.1:8443");
  EXPECT_EQ(full->path, "/mirror/a");

  const Result<ServerAddress> v6 = ParseServerAddress("https://[::1]:8443");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 8443);
  EXPECT_EQ(v6->authority, "[::1]:8443");
}

TEST(ServerAddress, IsNotReadFromAnythingElse) {
  for (const char* const url :
       {"", "http://h", "h", "https://", "https:///a", "https://h:", "https://h:0",
        "https://h:65536", "https://h:8443x", "https://h:-1", "https://[::1", "https://[::1]8443",
        "https://u@h", "https://h h", "https://h/a?b", "https://h/a b", "https://h\r\nX: y"}) {
    EXPECT_EQ(ParseServerAddress(url).status(), Status::kUrlInvalid) << url;
  }
}

}  // namespace
}  // namespace ota::agent
