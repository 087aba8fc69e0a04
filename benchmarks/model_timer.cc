// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/model_timer.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "cli/commands.h"
#include "cli/model_file.h"

namespace ota::benchmarks {

double MeasureInference(const std::string& path) {
  using Clock = std::chrono::steady_clock;
  using Nanoseconds = std::chrono::duration<double, std::nano>;
  cli::ModelFile model(path, {});
  model.Prepare();
  engine::Interpreter& interpreter = model.interpreter();
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(500);
  double fastest = std::numeric_limits<double>::max();
  for (int round = 0; round < 3 || Clock::now() < end; ++round) {
    cli::FillInputs(interpreter, "random:1");
    const Clock::time_point start = Clock::now();
    const Status status = interpreter.Invoke();
    const Nanoseconds taken = Clock::now() - start;
    if (!IsOk(status)) throw cli::CommandError(path + ": " + std::string(StatusSentence(status)));
    fastest = std::min(fastest, taken.count());
  }
  return fastest;
}

}  // namespace ota::benchmarks
