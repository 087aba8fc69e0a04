// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace ota::cli {

/// For tests of the real program, OTA_PROGRAM, as people run it. Each has a directory of its own
/// that is gone at the end.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "ota-program-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~ProgramTest() override { std::filesystem::remove_all(directory_); }

  /// Runs a script with `ota` as the program and `$D` the test's directory. Returns what it wrote,
  /// errors included; exit_code_ is its exit code.
  std::string Shell(const std::string& script) {
    const std::string command =
        "D='" + directory_ + "'; ota() { '" + OTA_PROGRAM + "' \"$@\"; }; { " + script + "\n} 2>&1";
    return RunCommand(command);
  }

  /// Runs a command of the system's shell; returns what it wrote to its standard output.
  std::string RunCommand(const std::string& command) {
    FILE* const pipe = popen(command.c_str(), "r");
    std::string output;
    char part[4096];
    for (size_t count; (count = fread(part, 1, sizeof part, pipe)) > 0;) output.append(part, count);
    exit_code_ = WEXITSTATUS(pclose(pipe));
    return output;
  }

  std::string directory_;
  int exit_code_ = -1;
};

}  // namespace ota::cli
