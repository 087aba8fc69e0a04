// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace ota::simulator {

/// Simulated time. Memory parts move it on by what their transfers last; who runs the simulation
/// moves it on over the rest.
class SimulatedClock final : public Clock {
 public:
  uint64_t now_ms() const override { return now_ns_ / 1'000'000; }
  uint64_t now_ns() const { return now_ns_; }

  void AdvanceNs(uint64_t ns) { now_ns_ += ns; }
  void AdvanceTo(uint64_t ns) { now_ns_ = ns > now_ns_ ? ns : now_ns_; }

  /// Whether a part that was found busy moves the time on to when it is idle, so that software
  /// which just asks again gets on. On at the start; a board with its own loop turns it off.
  bool skips_waits() const { return skips_waits_; }
  void set_skips_waits(bool skips) { skips_waits_ = skips; }

 private:
  uint64_t now_ns_ = 0;
  bool skips_waits_ = true;
};

}  // namespace ota::simulator
