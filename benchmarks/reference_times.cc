// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>

#include "benchmarks/model_timer.h"

// Prints the nanoseconds of an inference of each model given, a line each. Built with the reference
// kernels in the place of the host's: what engine_host_benchmark compares with.
int main(int argument_count, char** arguments) {
  try {
    for (int i = 1; i < argument_count; ++i) {
      std::printf("%.0f\n", ota::benchmarks::MeasureInference(arguments[i]));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reference_times: %s\n", error.what());
    return 1;
  }
  return 0;
}
