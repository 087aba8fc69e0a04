// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::simulator {

/// What a part has done and used since it was made.
struct PartFigures {
  uint64_t read_bytes = 0;
  uint64_t programmed_bytes = 0;
  uint64_t erased_bytes = 0;
  uint64_t busy_ns = 0;      ///< time in which it could not be used
  uint64_t transfer_ns = 0;  ///< time on the bus
  uint64_t energy_nj = 0;    ///< without standby
};

/// Energy of a current that flows for a while, at most a day: µA * mV * ns = 10^-18 J.
constexpr uint64_t ComputeEnergyNj(uint64_t current_ua, uint64_t voltage_mv, uint64_t ns) {
  return current_ua * voltage_mv / 1000 * ns / 1'000'000;
}

/// What `later` has beyond `earlier`, of the same part.
constexpr PartFigures Subtract(const PartFigures& later, const PartFigures& earlier) {
  return {
      later.read_bytes - earlier.read_bytes,     later.programmed_bytes - earlier.programmed_bytes,
      later.erased_bytes - earlier.erased_bytes, later.busy_ns - earlier.busy_ns,
      later.transfer_ns - earlier.transfer_ns,   later.energy_nj - earlier.energy_nj};
}

}  // namespace ota::simulator
