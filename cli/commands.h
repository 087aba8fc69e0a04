// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace CLI {
class App;
}

// The commands of the one binary. Each has a file of its own, cli/NAME.cc, that defines
// AddNameCommand: it adds a subcommand to `app`, with its options, and sets its callback. A
// callback that returns means exit code 0; one that fails throws CommandError.

namespace ota::cli {

/// Ends a command with a message on stderr. The message says what, where and what to do.
class CommandError : public std::runtime_error {
 public:
  /// `exit_code`: 1 for a failure, 2 where the command was used wrongly.
  explicit CommandError(const std::string& message, int exit_code = 1)
      : std::runtime_error(message), exit_code_(exit_code) {}

  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

void AddAdviseCommand(CLI::App& app);
void AddAttackCommand(CLI::App& app);
void AddConformanceCommand(CLI::App& app);
void AddDeviceCommand(CLI::App& app);
void AddImageCommand(CLI::App& app);
void AddInspectCommand(CLI::App& app);
void AddLogCommand(CLI::App& app);
void AddKeyCommand(CLI::App& app);
void AddManifestCommand(CLI::App& app);
void AddPruneCommand(CLI::App& app);
void AddPublishCommand(CLI::App& app);
void AddRunCommand(CLI::App& app);
void AddServeCommand(CLI::App& app);
void AddSignCommand(CLI::App& app);
void AddStatusCommand(CLI::App& app);
void AddTrustCommand(CLI::App& app);

}  // namespace ota::cli
