// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/output_values.h"

namespace ota::cli {
namespace {

using formats::TensorInfo;
using nlohmann::json;

constexpr size_t kShownElements = 16;

struct RunOptions {
  std::string model;
  std::string input = "zero";
  std::string source = "map";
  uint32_t arena_bytes = 0;
  bool as_json = false;
};

void PrintOutput(uint32_t index, const TensorInfo& tensor, const json& values) {
  std::printf("output %u: %s\n", index, DescribeTensor(tensor).c_str());
  for (size_t i = 0; i < values.size() && i < kShownElements; ++i) {
    std::printf("  [%zu] %s", i, values[i].dump().c_str());
    if (tensor.scale_count != 0) std::printf("  (%.6g)", ToReal(values[i], tensor));
    std::printf("\n");
  }
  if (values.size() > kShownElements) {
    std::printf("  ... %zu more; --json prints all\n", values.size() - kShownElements);
  }
}

void RunModel(const RunOptions& options) {
  ModelFile file(options.model, SourceChoice::Parse(options.source));
  file.Prepare(options.arena_bytes);
  engine::Interpreter& interpreter = file.interpreter();
  const bool is_generated =
      options.input == "zero" || options.input == "max" || options.input.rfind("random:", 0) == 0;
  if (is_generated) {
    FillInputs(interpreter, options.input);
  } else {
    FillInputsFromFile(interpreter, options.input);
  }
  const Status status = interpreter.Invoke();
  if (!IsOk(status)) throw CommandError(options.model + ": " + std::string(StatusSentence(status)));
  json outputs = json::array();
  for (uint32_t i = 0; i < interpreter.output_count(); ++i) {
    const auto tensor = interpreter.ReadOutputInfo(i);
    if (!tensor.ok()) throw CommandError(options.model + ": an output cannot be read");
    const json values = ReadOutputValues(interpreter.output(i), *tensor);
    if (!options.as_json) PrintOutput(i, *tensor, values);
    outputs.push_back({{"tensor", DescribeTensor(*tensor)}, {"values", values}});
  }
  const engine::ModelSummary& summary = interpreter.summary();
  if (options.as_json) {
    const json result = {{"model", options.model},
                         {"input", options.input},
                         {"outputs", outputs},
                         {"macs", summary.mac_count},
                         {"arena_bytes", summary.arena_bytes},
                         {"chain_count", summary.chain_count},
                         {"patch_count", summary.patch_count},
                         {"read_bytes", interpreter.read_bytes()}};
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("MACs %" PRIu64 ", arena %u bytes, plan %s\n", summary.mac_count, summary.arena_bytes,
              DescribePlan(summary).c_str());
  std::printf("read from the source %" PRIu64 " bytes, %" PRIu64 " in a single pass\n",
              interpreter.read_bytes(), summary.single_pass_bytes);
}

}  // namespace

void AddRunCommand(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* const command = app.add_subcommand("run", "Run a model once and print its outputs");
  command->add_option("MODEL", options->model, "A .tflite file")->required();
  command->add_option("--input", options->input,
                      "A file (.bmp of 8 bits, .npy, or raw bytes), zero, max or random:SEED");
  command->add_option(
      "--source", options->source,
      "map: weights in place; stream: through pages; stream:BYTES: of so many bytes");
  command->add_option("--arena", options->arena_bytes,
                      "Bytes of arena; as many as needed if left out");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->callback([options] { RunModel(*options); });
}

}  // namespace ota::cli
