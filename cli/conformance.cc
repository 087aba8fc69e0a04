// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/golden.h"

namespace ota::cli {
namespace {

namespace fs = std::filesystem;

struct ConformanceOptions {
  std::string models;
  std::string golden;
  std::string source = "map";
  std::string only;
  uint32_t mac_budget = 0;
};

std::vector<fs::path> FindModels(const std::string& folder, const std::string& only) {
  std::vector<fs::path> models;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".tflite") continue;
    if (entry.path().string().find(only) != std::string::npos) models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  return models;
}

bool RunModel(const fs::path& model, const ConformanceOptions& options) {
  const fs::path relative = fs::relative(model, options.models);
  fs::path golden = fs::path(options.golden) / relative;
  golden.replace_extension(".json");
  const fs::path layers = fs::path(options.golden) / "layers" / golden.filename();
  const GoldenRun run{SourceChoice::Parse(options.source), options.mac_budget};
  const GoldenOutcome outcome = CompareWithGolden(model, golden, layers, run);
  if (outcome.has_passed()) {
    std::printf("passed  %-60s %2u cases, arena %8u bytes\n", relative.c_str(), outcome.case_count,
                outcome.arena_bytes);
  } else {
    std::printf("FAILED  %-60s %s\n", relative.c_str(), outcome.failure.c_str());
  }
  std::fflush(stdout);
  return outcome.has_passed();
}

void RunConformance(const ConformanceOptions& options) {
  for (const std::string& folder : {options.models, options.golden}) {
    if (!fs::is_directory(folder)) {
      throw CommandError(folder + " is no folder; give the one with the models or golden vectors",
                         2);
    }
  }
  const std::vector<fs::path> models = FindModels(options.models, options.only);
  if (models.empty()) throw CommandError("no .tflite file in " + options.models);
  const auto passed =
      static_cast<size_t>(std::count_if(models.begin(), models.end(), [&](const fs::path& model) {
        return RunModel(model, options);
      }));
  std::printf("%zu passed, %zu failed\n", passed, models.size() - passed);
  if (passed != models.size()) {
    throw CommandError(std::to_string(models.size() - passed) + " of " +
                       std::to_string(models.size()) + " models differ from their golden vectors");
  }
}

}  // namespace

void AddConformanceCommand(CLI::App& app) {
  const auto options = std::make_shared<ConformanceOptions>();
  CLI::App* const command = app.add_subcommand(
      "conformance", "Compare every model in a folder with its golden vectors, recursively");
  command->add_option("MODELS_DIR", options->models, "Folder of .tflite files")->required();
  command->add_option("GOLDEN_DIR", options->golden, "Folder of golden vectors, same names")
      ->required();
  command->add_option("--source", options->source,
                      "map: weights in place; stream:BYTES: through a page of so many bytes");
  command->add_option("--only", options->only, "Only models whose path contains this text");
  command->add_option("--step", options->mac_budget,
                      "Run in steps of so many multiply-accumulates");
  command->callback([options] { RunConformance(*options); });
}

}  // namespace ota::cli
