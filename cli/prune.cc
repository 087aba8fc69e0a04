// SPDX-License-Identifier: Apache-2.0
#include "server/release/prune.h"

#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace ota::cli {
namespace {

struct PruneOptions {
  std::string data_directory;
  bool is_dry_run = false;
  bool as_json = false;
};

void RunPrune(const PruneOptions& options) {
  const auto mode = options.is_dry_run ? server::PruneMode::kDryRun : server::PruneMode::kRemove;
  nlohmann::json files = nlohmann::json::array();
  const auto on_file = [&](const server::PrunedFile& file) {
    if (options.as_json) {
      files.push_back({{"path", file.path}, {"bytes", file.size_bytes}});
      return;
    }
    std::printf("%10" PRIu64 "  %s\n", file.size_bytes, file.path.c_str());
    std::fflush(stdout);
  };
  server::Expected<server::PruneSummary> summary =
      server::Prune(options.data_directory, mode, on_file);
  if (!summary.ok()) throw CommandError(summary.error().message);
  if (options.as_json) {
    const nlohmann::json result = {{"removed", files},
                                   {"bytes", summary->bytes},
                                   {"kept_releases", summary->kept_release_count},
                                   {"is_dry_run", options.is_dry_run}};
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("%s files: %" PRIu64 ", %" PRIu64 " bytes; releases that stay: %" PRIu64
              "; the transparency log stays whole\n",
              options.is_dry_run ? "would remove" : "removed", summary->file_count, summary->bytes,
              summary->kept_release_count);
}

}  // namespace

void AddPruneCommand(CLI::App& app) {
  const auto options = std::make_shared<PruneOptions>();
  CLI::App* const command = app.add_subcommand(
      "prune", "Remove from a server's directory the releases that no device is offered any more");
  command
      ->add_option("--data", options->data_directory,
                   "The data directory of a server that does not run meanwhile")
      ->required()
      ->type_name("DIR");
  command->add_flag("--dry-run", options->is_dry_run, "Only say what would be removed");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->callback([options] { RunPrune(*options); });
}

}  // namespace ota::cli
