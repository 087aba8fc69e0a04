// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/model_file.h"

namespace ota::cli {
namespace {

using formats::TensorInfo;
using formats::TensorType;
using nlohmann::json;

constexpr size_t kShownElements = 16;

struct RunOptions {
  std::string model;
  std::string input = "zero";
  std::string source = "map";
  uint32_t arena_bytes = 0;
  bool as_json = false;
};

template <typename T>
json ToArray(ByteSpan bytes) {
  json values = json::array();
  for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    values.push_back(value);
  }
  return values;
}

json ReadValues(ByteSpan bytes, TensorType type) {
  switch (type) {
    case TensorType::kFloat32:
      return ToArray<float>(bytes);
    case TensorType::kInt8:
      return ToArray<int8_t>(bytes);
    case TensorType::kInt16:
      return ToArray<int16_t>(bytes);
    case TensorType::kInt32:
      return ToArray<int32_t>(bytes);
    case TensorType::kUint32:
      return ToArray<uint32_t>(bytes);
    case TensorType::kInt64:
      return ToArray<int64_t>(bytes);
    default:
      return ToArray<uint8_t>(bytes);
  }
}

double ToReal(const json& value, const TensorInfo& tensor) {
  const auto number = value.get<double>();
  if (tensor.scale_count == 0) return number;
  return (number - tensor.zero_point) * static_cast<double>(tensor.scale);
}

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
    const json values = ReadValues(interpreter.output(i), tensor->type);
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
                         {"read_bytes", interpreter.read_bytes()}};
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("MACs %" PRIu64 ", arena %u bytes, read from the source %" PRIu64 " bytes\n",
              summary.mac_count, summary.arena_bytes, interpreter.read_bytes());
}

}  // namespace

void AddRunCommand(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* const command = app.add_subcommand("run", "Run a model once and print its outputs");
  command->add_option("MODEL", options->model, "A .tflite file")->required();
  command->add_option("--input", options->input,
                      "A file (.bmp of 8 bits, .npy, or raw bytes), zero, max or random:SEED");
  command->add_option("--source", options->source,
                      "map: weights in place; stream:BYTES: through a page of so many bytes");
  command->add_option("--arena", options->arena_bytes,
                      "Bytes of arena; as many as needed if left out");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->callback([options] { RunModel(*options); });
}

}  // namespace ota::cli
