// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "base/status.h"

namespace ota::server {

/// Why something that was sent is not taken, and what its sender can do.
struct Refusal {
  int http_status = 403;
  std::string what;
  std::string remedy;
  Status status = Status::kOk;  ///< With which a device would refuse it; kOk: it was not judged.
};

/// A value, or the Refusal that says why there is none.
template <typename T>
using Outcome = std::variant<T, Refusal>;

}  // namespace ota::server
