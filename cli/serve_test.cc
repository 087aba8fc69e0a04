// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/program_for_test.h"

// `ota-tinyml serve` as a user meets it: the real program, its exit codes, its messages, its
// signals.

namespace ota::cli {
namespace {

using testing::HasSubstr;

class ServeTest : public ProgramTest {
 protected:
  // Runs a script with `serve` as the program, in a directory of its own; returns what it wrote.
  std::string Shell(const std::string& script) {
    const std::string command = "cd '" + directory_ + "' && serve() { exec '" + OTA_PROGRAM +
                                "' serve \"$@\"; }; { " + script + "\n} 2>&1";
    return RunCommand(command);
  }

  // Starts the server in the background and waits until it serves; then runs `script`.
  std::string WithServer(const std::string& options, const std::string& script) {
    return Shell("(serve --data data --listen 127.0.0.1:0 --port-file port " + options +
                 ") > out 2> err & SERVER=$!\n"
                 "for i in $(seq 200); do [ -e port ] && break; sleep 0.05; done\n"
                 "URL=https://127.0.0.1:$(cat port); " +
                 script + "\nkill -TERM $SERVER 2>/dev/null; wait $SERVER; echo \"exit $?\"");
  }
};

TEST_F(ServeTest, ServesUntilItIsToldToStop) {
  const std::string output =
      WithServer("",
                 "printf model > data/m.part && mv data/m.part data/models/m.tflite\n"
                 "curl -sSf --cacert data/tls/ca.pem $URL/models/m.tflite; echo; cat out");
  EXPECT_THAT(output, testing::StartsWith("model\nlistening on https://127.0.0.1:"));
  EXPECT_THAT(output, testing::EndsWith("exit 0\n"));
  EXPECT_THAT(Shell("cat err"), HasSubstr("made a development CA"));
  EXPECT_THAT(Shell("cat err"), HasSubstr("\"GET /models/m.tflite\" 200 5 "));
}

TEST_F(ServeTest, UsesGivenCertificates) {
  WithServer("", "true");
  Shell("rm port; mkdir own; cp data/tls/* own; mv data/tls gone");
  const std::string output = WithServer("--cert own/server.pem --key own/server.key",
                                        "curl -sSf --cacert own/ca.pem $URL/healthz; ls data");
  EXPECT_THAT(output, HasSubstr("\"ok\""));
  EXPECT_THAT(output, testing::Not(HasSubstr("tls")));
}

TEST_F(ServeTest, OpensTheLogAnewOnHangup) {
  const std::string output =
      WithServer("--access-log log",
                 "mv log old; kill -HUP $SERVER\n"
                 "for i in $(seq 200); do [ -e log ] && break; sleep 0.05; done\n"
                 "curl -sSf --cacert data/tls/ca.pem $URL/healthz > /dev/null\n"
                 "for i in $(seq 200); do [ -s log ] && break; sleep 0.05; done; cat log");
  EXPECT_THAT(output, HasSubstr("\"GET /healthz\" 200"));
}

TEST_F(ServeTest, FailsWithAReason) {
  EXPECT_THAT(Shell("serve --data data --listen 127.0.0.1:0 --cert absent.pem --key absent.key"),
              HasSubstr("absent.pem: No such file or directory"));
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(Shell("serve --data /proc/nothing --listen 127.0.0.1:0"),
              HasSubstr("cannot make the directory /proc/nothing"));
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(Shell("serve --data d2 --listen 127.0.0.1:0 --access-log absent/log"),
              HasSubstr("cannot open the access log absent/log"));
  EXPECT_EQ(exit_code_, 1);
  const std::string taken =
      WithServer("", "(serve --data other --listen 127.0.0.1:$(cat port)); echo \"exit $?\"");
  EXPECT_THAT(taken, HasSubstr("Address already in use; stop the program that has it"));
  EXPECT_THAT(taken, HasSubstr("exit 1\n"));
}

TEST_F(ServeTest, SaysThatTheDiskIsFull) {
  // No more bytes may be written than nothing at all, as on a full disk.
  EXPECT_THAT(Shell("ulimit -f 0; serve --data data --listen 127.0.0.1:0 2>&1 | cat"),
              HasSubstr("make room on that disk"));
  EXPECT_EQ(Shell("find data -type f -size +0"), "") << "nothing half-written is left";
}

TEST_F(ServeTest, KnowsBadUse) {
  for (const char* use : {"", "--data d --cert only.pem", "--data d --listen nowhere",
                          "--data d --connections 0", "--data d --unknown"}) {
    Shell(std::string("serve ") + use);
    EXPECT_EQ(exit_code_, 2) << use;
  }
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/d"));
  EXPECT_THAT(Shell("serve --help"), HasSubstr("--listen"));
  EXPECT_EQ(exit_code_, 0);
}

}  // namespace
}  // namespace ota::cli
