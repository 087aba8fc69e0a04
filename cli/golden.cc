// SPDX-License-Identifier: Apache-2.0
#include "cli/golden.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/commands.h"
#include "crypto/host/hex.h"
#include "crypto/sha256.h"

namespace ota::cli {

using engine::Interpreter;
using nlohmann::json;

namespace {

constexpr float kFloatTolerance = 1e-5f;

json ReadJson(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw CommandError("cannot open " + path);
  return json::parse(file);
}

std::vector<uint8_t> FromHex(const std::string& text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string DigestHex(ByteSpan bytes) {
  crypto::Sha256 hash;
  hash.Update(bytes);
  return crypto::HexText(hash.Finish());
}

bool AreFloatsNear(ByteSpan a, ByteSpan b) {
  for (size_t at = 0; at + 4 <= a.size(); at += 4) {
    float x;
    float y;
    std::memcpy(&x, a.data() + at, 4);
    std::memcpy(&y, b.data() + at, 4);
    if (!(std::fabs(x - y) <= kFloatTolerance)) return false;
  }
  return true;
}

// Empty if `bytes` are what the golden file says of an output.
std::string CompareOutput(ByteSpan bytes, const json& expected, formats::TensorType type) {
  if (bytes.size() != expected.at("bytes").get<size_t>()) {
    return "has " + std::to_string(bytes.size()) + " bytes instead of " +
           expected.at("bytes").dump();
  }
  if (!expected.contains("hex")) {
    return DigestHex(bytes) == expected.at("sha256").get<std::string>() ? "" : "differs (digest)";
  }
  const std::vector<uint8_t> wanted = FromHex(expected.at("hex").get<std::string>());
  if (type == formats::TensorType::kFloat32) {
    return AreFloatsNear(bytes, wanted) ? "" : "differs by more than 1e-5";
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (bytes[i] != wanted[i]) {
      return "differs first at byte " + std::to_string(i) + ": " + std::to_string(bytes[i]) +
             " instead of " + std::to_string(wanted[i]);
    }
  }
  return "";
}

// Compares what operators put out with the layers file, and keeps the first that differs.
class LayerCheck final : public engine::OperatorObserver {
 public:
  LayerCheck(const json& layers, size_t case_index) {
    for (const json& layer : layers.at("layers")) {
      const auto key =
          std::make_pair(layer.at("op").get<uint32_t>(), layer.at("output").get<uint32_t>());
      expected_[key] = {layer.at("name").get<std::string>(),
                        layer.at("sha256").at(case_index).get<std::string>()};
    }
  }

  void OnOutput(uint32_t operator_index, uint32_t output_index, ByteSpan bytes) override {
    const auto found = expected_.find({operator_index, output_index});
    if (found == expected_.end() || !first_.empty()) return;
    if (DigestHex(bytes) == found->second.second) return;
    first_ = " first differing operator: " + std::to_string(operator_index) + " (" +
             found->second.first + ") output " + std::to_string(output_index);
  }

  const std::string& first_difference() const { return first_; }

 private:
  std::map<std::pair<uint32_t, uint32_t>, std::pair<std::string, std::string>> expected_;
  std::string first_;
};

void InvokeAsAsked(Interpreter& interpreter, const GoldenRun& run) {
  Status status = Status::kBusy;
  if (run.mac_budget == 0) status = interpreter.Invoke();
  while (status == Status::kBusy) status = interpreter.Step(run.mac_budget);
  if (!IsOk(status)) throw CommandError(std::string(StatusSentence(status)));
}

std::string CompareOutputs(Interpreter& interpreter, const json& expected) {
  if (expected.size() != interpreter.output_count()) return "has another number of outputs";
  for (uint32_t i = 0; i < interpreter.output_count(); ++i) {
    const auto info = interpreter.ReadOutputInfo(i);
    if (!info.ok()) return "output cannot be read";
    const std::string difference = CompareOutput(interpreter.output(i), expected.at(i), info->type);
    if (!difference.empty()) return "output " + std::to_string(i) + " " + difference;
  }
  return "";
}

// The outputs, and that as many bytes were read from the source as the plan says.
std::string CompareRun(Interpreter& interpreter, const json& expected, bool is_first) {
  const uint64_t planned =
      interpreter.summary().read_bytes + (is_first ? interpreter.summary().once_read_bytes : 0);
  if (interpreter.read_bytes() != planned) {
    return "read " + std::to_string(interpreter.read_bytes()) + " bytes where " +
           std::to_string(planned) + " were planned";
  }
  return CompareOutputs(interpreter, expected);
}

std::string InputOfCase(const json& golden_case) {
  const auto input = golden_case.at("input").get<std::string>();
  if (input != "random") return input;
  return "random:" + std::to_string(golden_case.at("seed").get<uint32_t>());
}

std::string FindDifferingLayer(const std::string& model_path, const std::string& layers_path,
                               size_t case_index, const std::string& input, const GoldenRun& run) {
  if (!std::ifstream(layers_path)) return "";
  LayerCheck check(ReadJson(layers_path), case_index);
  ModelFile model(model_path, run.source);
  model.interpreter().set_observer(&check);
  model.Prepare(64 << 20);
  FillInputs(model.interpreter(), input);
  InvokeAsAsked(model.interpreter(), run);
  return check.first_difference();
}

void CompareCases(const std::string& model_path, const std::string& golden_path,
                  const std::string& layers_path, const GoldenRun& run, GoldenOutcome& outcome) {
  const json golden = ReadJson(golden_path);
  ModelFile model(model_path, run.source);
  model.Prepare(run.arena_bytes);
  Interpreter& interpreter = model.interpreter();
  outcome.arena_bytes = interpreter.summary().arena_bytes;
  outcome.patch_count = interpreter.summary().patch_count;
  for (const json& golden_case : golden.at("cases")) {
    interpreter.ResetState();
    FillInputs(interpreter, InputOfCase(golden_case));
    InvokeAsAsked(interpreter, run);
    const std::string difference = CompareRun(interpreter, golden_case.at("outputs"), true);
    ++outcome.case_count;
    if (difference.empty()) continue;
    const auto index = golden_case.at("case").get<size_t>();
    outcome.failure =
        "case " + std::to_string(index) + ": " + difference +
        FindDifferingLayer(model_path, layers_path, index, InputOfCase(golden_case), run);
    return;
  }
  if (!golden.contains("sequence")) return;
  interpreter.ResetState();
  const json& steps = golden.at("sequence").at("steps");
  for (size_t i = 0; i < steps.size(); ++i) {
    FillInputs(interpreter, "random:" + std::to_string(i + 1));
    InvokeAsAsked(interpreter, run);
    const std::string difference = CompareRun(interpreter, steps.at(i).at("outputs"), i == 0);
    ++outcome.case_count;
    if (difference.empty()) continue;
    outcome.failure = "step " + std::to_string(i) + " of the sequence: " + difference;
    return;
  }
}

}  // namespace

GoldenOutcome CompareWithGolden(const std::string& model_path, const std::string& golden_path,
                                const std::string& layers_path, const GoldenRun& run) {
  GoldenOutcome outcome;
  try {
    CompareCases(model_path, golden_path, layers_path, run, outcome);
  } catch (const std::exception& error) {
    outcome.failure = error.what();
  }
  return outcome;
}

}  // namespace ota::cli
