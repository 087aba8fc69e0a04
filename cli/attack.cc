// SPDX-License-Identifier: Apache-2.0
#include "simulator/attack/attack_case.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/server_attack.h"

namespace ota::cli {
namespace {

struct AttackOptions {
  std::string filter;
  bool is_list = false;
  bool as_json = false;
};

/// One case of either suite, played or not.
struct Row {
  std::string group;
  std::string name;
  std::string what;
  std::string expected;
  std::string answer;
  std::string failure;
};

template <typename OnRow>
void ForEachAttack(const std::string& filter, bool is_played, OnRow on_row) {
  const auto is_chosen = [&filter](const Row& row) {
    return (row.group + "/" + row.name).find(filter) != std::string::npos;
  };
  for (const simulator::AttackCase& attack : simulator::AllAttackCases()) {
    Row row = {attack.group, attack.name, attack.what, std::string(StatusName(attack.expected)),
               "",           ""};
    if (!is_chosen(row)) continue;
    if (is_played) {
      const simulator::AttackOutcome outcome = simulator::PlayAttack(attack);
      row.answer = StatusName(outcome.answer);
      row.failure = outcome.failure;
    }
    on_row(row);
  }
  for (const ServerAttack& attack : AllServerAttacks()) {
    Row row = {"server", attack.name, attack.what, attack.expected, "", ""};
    if (!is_chosen(row)) continue;
    if (is_played) {
      const ServerAttackOutcome outcome = PlayServerAttack(attack);
      row.answer = outcome.answer;
      row.failure = outcome.failure;
    }
    on_row(row);
  }
}

void RunList() {
  ForEachAttack("", false, [](const Row& row) {
    std::printf("%-12s %-28s %s\n", row.group.c_str(), row.name.c_str(), row.what.c_str());
  });
}

void PrintRow(const Row& row) {
  std::printf("%-12s %-28s %-26s %s%s\n", row.group.c_str(), row.name.c_str(), row.answer.c_str(),
              row.failure.empty() ? "passed" : "FAILED: ", row.failure.c_str());
  std::fflush(stdout);
}

void RunAttacks(const AttackOptions& options) {
  size_t passed_count = 0, failed_count = 0;
  nlohmann::json rows = nlohmann::json::array();
  ForEachAttack(options.filter, true, [&](const Row& row) {
    ++(row.failure.empty() ? passed_count : failed_count);
    if (!options.as_json) PrintRow(row);
    rows.push_back({{"group", row.group},
                    {"name", row.name},
                    {"what", row.what},
                    {"expected", row.expected},
                    {"answer", row.answer},
                    {"failure", row.failure}});
  });
  if (options.as_json) std::printf("%s\n", rows.dump(2).c_str());
  if (passed_count + failed_count == 0) {
    throw CommandError("no attack is called like '" + options.filter + "'; see attack --list", 2);
  }
  if (!options.as_json) std::printf("%zu passed, %zu failed\n", passed_count, failed_count);
  if (failed_count != 0) throw CommandError("something did not stand its ground");
}

}  // namespace

void AddAttackCommand(CLI::App& app) {
  const auto options = std::make_shared<AttackOptions>();
  CLI::App* const command = app.add_subcommand(
      "attack", "Play attacks on a device and on a server, each against the code that really runs");
  command->add_flag("--list", options->is_list, "List them");
  CLI::App* const run = command->add_subcommand("run", "Play them and print a table");
  run->add_option("FILTER", options->filter, "Only those whose group/name holds this text");
  run->add_flag("--json", options->as_json, "Print JSON");
  command->callback([options, run] {
    if (options->is_list) return RunList();
    if (!run->parsed()) throw CommandError("say attack --list or attack run", 2);
    RunAttacks(*options);
  });
}

}  // namespace ota::cli
