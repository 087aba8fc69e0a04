// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace ota::benchmarks {

/// Nanoseconds of one inference of the model at `path`, mapped: the fastest of those that fit into
/// half a second, and of three at least, on one input of random bytes.
/// Throws cli::CommandError: the model cannot be run.
double MeasureInference(const std::string& path);

}  // namespace ota::benchmarks
