// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>

#include "engine/test_models.h"

// Writes the test models into a folder, as seeds of the fuzzer: model_seeds FOLDER.
int main(int argument_count, char** arguments) {
  if (argument_count != 2) {
    std::fprintf(stderr, "usage: model_seeds FOLDER\n");
    return 2;
  }
  for (const ota::engine::TestModel& model : ota::engine::MakeTestModels()) {
    const std::string path = std::string(arguments[1]) + "/" + model.name;
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) {
      std::fprintf(stderr, "model_seeds: cannot write %s\n", path.c_str());
      return 1;
    }
    const std::vector<uint8_t> bytes = model.Write();
    const bool is_written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    if (std::fclose(file) != 0 || !is_written) return 1;
  }
  return 0;
}
