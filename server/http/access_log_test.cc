// SPDX-License-Identifier: Apache-2.0
#include "server/http/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/temporary_directory.h"

namespace ota::server {
namespace {

using std::chrono::system_clock;

TEST(AccessLog, WritesOneLinePerRecord) {
  const AccessRecord record = {.remote = "127.0.0.1:5",
                               .method = "GET",
                               .target = "/models/",
                               .status = 200,
                               .sent_bytes = 42,
                               .duration = std::chrono::microseconds(1500),
                               .agent = "curl",
                               .note = ""};
  EXPECT_EQ(FormatAccessRecord(record, system_clock::from_time_t(0)),
            "1970-01-01T00:00:00.000Z 127.0.0.1:5 \"GET /models/\" 200 42 1.5ms \"curl\"");
}

TEST(AccessLog, LetsNobodyForgeFieldsOrLines) {
  AccessRecord record;
  record.method = "GET";
  record.target = "/a\" 200\n\x1b[31m\\" + std::string(5000, 'x');
  const std::string line = FormatAccessRecord(record, system_clock::from_time_t(0));
  EXPECT_THAT(line, testing::HasSubstr("/a\\x22 200\\x0a\\x1b[31m\\x5c"));
  EXPECT_LT(line.size(), 500u);
}

TEST(AccessLog, GoesOnInANewPlaceAfterItWasRotated) {
  const TemporaryDirectory directory;
  Expected<std::unique_ptr<AccessLog>> log = AccessLog::Open(directory.path("log"));
  ASSERT_TRUE(log.ok());
  AccessLog& opened = **log;
  opened.Append({});
  std::filesystem::rename(directory.path("log"), directory.path("log.1"));
  EXPECT_FALSE(opened.Reopen().has_value());
  opened.Append({});
  EXPECT_EQ(directory.Read("log").find('\n'), directory.Read("log").size() - 1);
  EXPECT_FALSE(directory.Read("log.1").empty());
}

TEST(AccessLog, GoesOnWhenTheDiskIsFull) {
  Expected<std::unique_ptr<AccessLog>> log = AccessLog::Open("/dev/full");
  ASSERT_TRUE(log.ok());
  testing::internal::CaptureStderr();
  (*log)->Append({});
  (*log)->Append({});
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::HasSubstr("No space left on device"));
  EXPECT_EQ(said.find('\n'), said.size() - 1) << "said once";
}

}  // namespace
}  // namespace ota::server
