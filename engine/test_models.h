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
  std::vector<formats::SubgraphSpec> called = {};  ///< subgraphs from 1 on

  std::vector<uint8_t> Write() const {
    std::vector<formats::SubgraphSpec> graphs = called;
    graphs.insert(graphs.begin(), graph);
    return formats::WriteModel(graphs);
  }
};

/// One int8[1,4] in, one out: the largest of all inputs so far and of -20, -10, 0, 10, which a
/// subgraph assigns once. The scales are all the same.
TestModel MakeRunningMaximum();

/// All of them; the one above is the first.
std::vector<TestModel> MakeTestModels();

}  // namespace ota::engine
