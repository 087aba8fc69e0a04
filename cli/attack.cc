// SPDX-License-Identifier: Apache-2.0
#include "simulator/attack/attack_case.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace ota::cli {
namespace {

using simulator::AttackCase;
using simulator::AttackOutcome;

struct AttackOptions {
  std::string filter;
  bool is_list = false;
  bool as_json = false;
};

bool IsChosen(const AttackCase& attack, const std::string& filter) {
  const std::string name = std::string(attack.group) + "/" + attack.name;
  return name.find(filter) != std::string::npos;
}

void RunList() {
  for (const AttackCase& attack : simulator::AllAttackCases()) {
    std::printf("%-12s %-28s %s\n", attack.group, attack.name, attack.what);
  }
}

void PrintRow(const AttackCase& attack, const AttackOutcome& outcome) {
  const std::string answer(StatusName(outcome.answer));
  std::printf("%-12s %-28s %-26s %s%s\n", attack.group, attack.name, answer.c_str(),
              outcome.has_passed() ? "passed" : "FAILED: ", outcome.failure.c_str());
}

void RunAttacks(const AttackOptions& options) {
  size_t passed_count = 0, failed_count = 0;
  nlohmann::json rows = nlohmann::json::array();
  for (const AttackCase& attack : simulator::AllAttackCases()) {
    if (!IsChosen(attack, options.filter)) continue;
    const AttackOutcome outcome = simulator::PlayAttack(attack);
    ++(outcome.has_passed() ? passed_count : failed_count);
    if (!options.as_json) PrintRow(attack, outcome);
    rows.push_back({{"group", attack.group},
                    {"name", attack.name},
                    {"what", attack.what},
                    {"expected", StatusName(attack.expected)},
                    {"answer", StatusName(outcome.answer)},
                    {"failure", outcome.failure}});
  }
  if (options.as_json) std::printf("%s\n", rows.dump(2).c_str());
  if (passed_count + failed_count == 0) {
    throw CommandError("no attack is called like '" + options.filter + "'; see attack --list", 2);
  }
  if (!options.as_json) std::printf("%zu passed, %zu failed\n", passed_count, failed_count);
  if (failed_count != 0) throw CommandError("the device did not stand its ground");
}

}  // namespace

void AddAttackCommand(CLI::App& app) {
  const auto options = std::make_shared<AttackOptions>();
  CLI::App* const command = app.add_subcommand(
      "attack", "Play attacks on the trust of a device, each against the code that devices run");
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
