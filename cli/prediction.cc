// SPDX-License-Identifier: Apache-2.0
#include "cli/prediction.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "cli/commands.h"
#include "cli/output_values.h"

namespace ota::cli {
namespace {

using formats::TensorInfo;

std::string Format(double value) {
  std::array<char, 32> text = {};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

}  // namespace

std::vector<std::string> ReadLabels(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw CommandError("cannot read the labels " + path);
  std::vector<std::string> labels;
  for (std::string line; std::getline(file, line);) labels.push_back(line);
  return labels;
}

Prediction ReadPrediction(engine::Interpreter& interpreter,
                          const std::vector<std::string>& labels) {
  const Result<TensorInfo> tensor = interpreter.ReadOutputInfo(0);
  if (!tensor.ok()) throw CommandError("the model's output cannot be read");
  Prediction prediction;
  for (const nlohmann::json& value : ReadOutputValues(interpreter.output(0), *tensor)) {
    prediction.values.push_back(ToReal(value, *tensor));
  }
  const std::vector<double>& values = prediction.values;
  if (values.empty()) return prediction;
  prediction.index = std::max_element(values.begin(), values.end()) - values.begin();
  const auto at = static_cast<size_t>(prediction.index);
  if (at < labels.size()) prediction.label = labels[at];
  if (values.size() == 1) {
    prediction.text = Format(values[0]);
  } else {
    const std::string what =
        prediction.label.empty() ? "index " + std::to_string(at) : prediction.label;
    prediction.text = what + " (" + Format(values[at]) + ")";
  }
  return prediction;
}

}  // namespace ota::cli
