// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota {

/// Time since some fixed moment; never goes back, never waits. A board supplies one; tests and the
/// simulator supply one that they move themselves.
class Clock {
 public:
  /// Milliseconds since an arbitrary start.
  virtual uint64_t now_ms() const = 0;

 protected:
  ~Clock() = default;
};

}  // namespace ota
