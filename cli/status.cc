// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/status.h"
#include "cli/commands.h"

namespace ota::cli {
namespace {

constexpr Status kAllCodes[] = {
#define OTA_STATUS_VALUE(name, number, module, sentence) Status::name,
    OTA_STATUS_LIST(OTA_STATUS_VALUE)
#undef OTA_STATUS_VALUE
};

void PrintText(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintStatusTable() {
  PrintText("| number | name | module | what happened |\n|---|---|---|---|\n");
  for (const Status status : kAllCodes) {
    std::printf("| 0x%04X | ", static_cast<unsigned>(status));
    PrintText(StatusName(status));
    PrintText(" | ");
    PrintText(StatusModule(status));
    PrintText(" | ");
    PrintText(StatusSentence(status));
    PrintText(" |\n");
  }
}

}  // namespace

void AddStatusCommand(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("status", "Print every status code that a device can report");
  command->callback(PrintStatusTable);
}

}  // namespace ota::cli
