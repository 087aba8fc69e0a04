// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/model_file.h"

namespace ota::cli {
namespace {

struct InspectOptions {
  std::string model;
  std::string source = "map";
  uint32_t arena_bytes = 0;
  bool as_json = false;
};

struct TensorLine {
  std::string name;
  std::string text;
  uint32_t size_bytes;
};

std::vector<TensorLine> ReadTensors(formats::ModelReader& model, const formats::FlatVector& list) {
  std::vector<TensorLine> lines;
  for (uint32_t i = 0; i < list.count; ++i) {
    const auto index = static_cast<uint32_t>(model.reader().ReadElementI32(list, i));
    const auto tensor = model.ReadTensor(index);
    char name[128];
    const auto text = model.ReadTensorName(index, name);
    if (!tensor.ok() || !text.ok()) throw CommandError("a tensor of the model cannot be read");
    lines.push_back({std::string(*text), DescribeTensor(*tensor), tensor->size_bytes});
  }
  return lines;
}

std::map<std::string, uint32_t> CountOperators(formats::ModelReader& model) {
  std::map<std::string, uint32_t> counts;
  for (uint32_t i = 0; i < model.operator_count(); ++i) {
    const auto info = model.ReadOperator(i);
    if (!info.ok()) throw CommandError("an operator of the model cannot be read");
    char name[64];
    const auto text = model.ReadOperatorName(*info, name);
    ++counts[text.ok() ? std::string(*text) : "?"];
  }
  return counts;
}

nlohmann::json ToJson(const std::vector<TensorLine>& lines) {
  nlohmann::json list = nlohmann::json::array();
  for (const TensorLine& line : lines) {
    list.push_back({{"name", line.name}, {"tensor", line.text}, {"bytes", line.size_bytes}});
  }
  return list;
}

void PrintLines(const char* title, const std::vector<TensorLine>& lines) {
  for (const TensorLine& line : lines) {
    std::printf("%-18s %s, %u bytes, \"%s\"\n", title, line.text.c_str(), line.size_bytes,
                line.name.c_str());
  }
}

void PrintSummary(const engine::ModelSummary& summary) {
  std::printf("%-18s %u\n", "weight bytes", summary.weight_bytes);
  std::printf("%-18s %" PRIu64 "\n", "MACs", summary.mac_count);
  std::printf("%-18s %u (activations and scratch %u, plan %u, state %u)\n", "arena bytes",
              summary.arena_bytes, summary.shared_bytes, summary.plan_bytes, summary.state_bytes);
  std::printf("%-18s %s\n", "plan", DescribePlan(summary).c_str());
  if (summary.read_bytes != 0) {
    std::printf(
        "%-18s %" PRIu64 ", %.2f passes\n", "bytes read", summary.read_bytes,
        static_cast<double>(summary.read_bytes) / static_cast<double>(summary.single_pass_bytes));
  }
}

void RunInspect(const InspectOptions& options) {
  ModelFile file(options.model, SourceChoice::Parse(options.source));
  const engine::ModelSummary summary = file.ComputeNeeds(options.arena_bytes);
  formats::ModelReader model(file.source());
  if (!IsOk(model.Open())) throw CommandError(options.model + " cannot be read");
  const std::vector<TensorLine> inputs = ReadTensors(model, model.inputs());
  const std::vector<TensorLine> outputs = ReadTensors(model, model.outputs());
  const std::map<std::string, uint32_t> operators = CountOperators(model);
  if (options.as_json) {
    const nlohmann::json result = {{"model", options.model},
                                   {"model_bytes", file.source().size_bytes()},
                                   {"inputs", ToJson(inputs)},
                                   {"outputs", ToJson(outputs)},
                                   {"operators", operators},
                                   {"operator_count", summary.operator_count},
                                   {"weight_bytes", summary.weight_bytes},
                                   {"macs", summary.mac_count},
                                   {"arena_bytes", summary.arena_bytes},
                                   {"shared_bytes", summary.shared_bytes},
                                   {"plan_bytes", summary.plan_bytes},
                                   {"state_bytes", summary.state_bytes},
                                   {"chain_count", summary.chain_count},
                                   {"patch_count", summary.patch_count},
                                   {"single_pass_bytes", summary.single_pass_bytes},
                                   {"read_bytes", summary.read_bytes}};
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("%-18s %s, %u bytes\n", "model", options.model.c_str(), file.source().size_bytes());
  PrintLines("input", inputs);
  PrintLines("output", outputs);
  std::printf("%-18s %u:", "operators", summary.operator_count);
  for (const auto& [name, count] : operators) std::printf(" %s %u", name.c_str(), count);
  std::printf("\n");
  PrintSummary(summary);
}

}  // namespace

void AddInspectCommand(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* const command = app.add_subcommand(
      "inspect", "Say what a model takes in and puts out, and what it needs to run");
  command->add_option("MODEL", options->model, "A .tflite file")->required();
  command->add_option(
      "--source", options->source,
      "map: weights in place; stream: through pages; stream:BYTES: of so many bytes");
  command->add_option("--arena", options->arena_bytes,
                      "Bytes of arena to plan for; as many as the plain plan needs if left out");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->callback([options] { RunInspect(*options); });
}

}  // namespace ota::cli
