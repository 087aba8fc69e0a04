// SPDX-License-Identifier: Apache-2.0
#include "cli/prediction.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "cli/commands.h"

namespace ota::cli {
namespace {

using formats::TensorInfo;
using formats::TensorType;

template <typename T>
void AppendValues(ByteSpan bytes, std::vector<double>& values) {
  for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    values.push_back(static_cast<double>(value));
  }
}

std::vector<double> ReadValues(ByteSpan bytes, const TensorInfo& tensor) {
  std::vector<double> values;
  switch (tensor.type) {
    case TensorType::kFloat32:
      AppendValues<float>(bytes, values);
      break;
    case TensorType::kInt8:
      AppendValues<int8_t>(bytes, values);
      break;
    case TensorType::kUint8:
      AppendValues<uint8_t>(bytes, values);
      break;
    case TensorType::kInt16:
      AppendValues<int16_t>(bytes, values);
      break;
    case TensorType::kInt32:
      AppendValues<int32_t>(bytes, values);
      break;
    case TensorType::kInt64:
      AppendValues<int64_t>(bytes, values);
      break;
    default:
      throw CommandError("the model's output is of a type without numbers");
  }
  if (tensor.scale_count == 0) return values;
  for (double& value : values) {
    value = (value - tensor.zero_point) * static_cast<double>(tensor.scale);
  }
  return values;
}

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
  prediction.values = ReadValues(interpreter.output(0), *tensor);
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
