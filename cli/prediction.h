// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/interpreter.h"

namespace ota::cli {

/// The first output of a model, as people read it.
struct Prediction {
  std::vector<double> values;  ///< real values, in the order of the tensor
  int64_t index = 0;           ///< of the largest
  std::string label;           ///< its label, if there is one
  std::string text;            ///< "seven (0.98)", "0.84"
};

/// One label a line; the line's number is the index. CommandError: the file cannot be read.
std::vector<std::string> ReadLabels(const std::string& path);

/// Of an interpreter that has run. CommandError: the output has a type that has no numbers.
Prediction ReadPrediction(engine::Interpreter& interpreter, const std::vector<std::string>& labels);

}  // namespace ota::cli
