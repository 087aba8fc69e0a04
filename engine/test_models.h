// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/tflite/test_model_writer.h"

// Small models, one for each operator and type, for the engine's tests and as seeds of its fuzzer.

namespace ota::engine {

struct TestModel {
  std::string name;
  formats::SubgraphSpec graph;

  std::vector<uint8_t> Write() const { return formats::WriteModel(graph); }
};

std::vector<TestModel> MakeTestModels();

}  // namespace ota::engine
