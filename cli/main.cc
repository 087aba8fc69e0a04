// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "cli/commands.h"

namespace ota::cli {
namespace {

void AddCommands(CLI::App& app) {
  AddAdviseCommand(app);
  AddAttackCommand(app);
  AddConformanceCommand(app);
  AddDeviceCommand(app);
  AddImageCommand(app);
  AddInspectCommand(app);
  AddLogCommand(app);
  AddKeyCommand(app);
  AddManifestCommand(app);
  AddPruneCommand(app);
  AddPublishCommand(app);
  AddRunCommand(app);
  AddServeCommand(app);
  AddSignCommand(app);
  AddStatusCommand(app);
  AddTrustCommand(app);
}

int Main(int argument_count, char** arguments) {
  CLI::App app("Over-the-air deployment of TinyML models, and their execution on microcontrollers.",
               "ota-tinyml");
  app.set_version_flag("--version", OTA_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  AddCommands(app);
  try {
    app.parse(argument_count, arguments);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const CommandError& error) {
    std::fprintf(stderr, "ota-tinyml: %s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ota-tinyml: unexpected failure: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace ota::cli

int main(int argument_count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  return ota::cli::Main(argument_count, arguments);
}
