// SPDX-License-Identifier: Apache-2.0
// The real program as a server, killed without a warning.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "server/temporary_directory.h"
#include "tests/test_fetching.h"

namespace ota::tests {
namespace {

using simulator::FindBoard;
using simulator::VirtualBoard;

/// `ota-tinyml serve` in a process of its own, which serves once the constructor returns.
class ServerProcess {
 public:
  ServerProcess(const std::string& data_directory, uint16_t port) {
    int ends[2];
    if (pipe(ends) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    const std::string listen = "127.0.0.1:" + std::to_string(port);
    const std::string log = data_directory + "/access.log";
    std::array<const char*, 9> arguments = {
        OTA_PROGRAM,    "serve",     "--data", data_directory.c_str(), "--listen", listen.c_str(),
        "--access-log", log.c_str(), nullptr};
    posix_spawn(&process_, OTA_PROGRAM, &actions, nullptr,
                const_cast<char* const*>(arguments.data()), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ReadPort(ends[0]);
    close(ends[0]);
  }
  ~ServerProcess() { Kill(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// 0: it did not start.
  uint16_t port() const { return port_; }

  /// Ends it at once, by SIGKILL; returns whether it was that which ended it.
  bool Kill() {
    if (process_ <= 0) return false;
    kill(process_, SIGKILL);
    int state = 0;
    waitpid(process_, &state, 0);
    process_ = 0;
    return WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL;
  }

 private:
  /// Of the line `listening on https://127.0.0.1:PORT`, which it writes once it serves.
  void ReadPort(int output) {
    std::string text;
    char c = 0;
    while (text.find("https://") == std::string::npos || c != '\n') {
      if (read(output, &c, 1) != 1) return;
      text += c;
    }
    port_ = static_cast<uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  }

  pid_t process_ = 0;
  uint16_t port_ = 0;
};

TEST(KilledServer, IsFoundAgainAndTheTransferResumes) {
  const std::string artifact = MakeArtifact(1'000'000, 3);
  server::TemporaryDirectory directory;
  std::filesystem::create_directories(directory.path("server/models"));
  directory.Replace("server/models/big.tflite", artifact);
  auto server = std::make_unique<ServerProcess>(directory.path("server"), 0);
  const uint16_t port = server->port();
  ASSERT_NE(port, 0);

  VirtualBoard board(*FindBoard("B1"), directory.path("board"));
  ASSERT_EQ(board.Boot(), Status::kOk);
  TestFetching fetching;
  bool was_killed = false;
  const Status status = fetching.Fetch(
      board, "127.0.0.1", port, directory.Read("server/tls/ca.pem"), [&](uint32_t staged_bytes) {
        if (staged_bytes < 400'000 || was_killed) return true;
        was_killed = server->Kill();
        fetching.network().Unplug();
        server = std::make_unique<ServerProcess>(directory.path("server"), port);
        return server->port() == port;
      });
  EXPECT_EQ(status, Status::kOk);
  EXPECT_TRUE(was_killed);
  EXPECT_EQ(ReadStored(board), artifact);
  EXPECT_LT(fetching.received_bytes(), artifact.size() + 5000)
      << "what had come did not come again";
}

}  // namespace
}  // namespace ota::tests
