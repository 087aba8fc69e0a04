// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::simulator {

/// What a part has done and used since it was made.
struct PartFigures {
  uint64_t read_bytes = 0;
  uint64_t programmed_bytes = 0;
  uint64_t erased_bytes = 0;
  uint64_t busy_ns = 0;    ///< time in which it could not be used
  uint64_t energy_nj = 0;  ///< without standby
};

/// Energy of a current that flows for a while: µA * mV * ns = 10^-18 J.
constexpr uint64_t ComputeEnergyNj(uint64_t current_ua, uint64_t voltage_mv, uint64_t ns) {
  return current_ua * voltage_mv / 1000 * (ns / 1000) / 1000;
}

}  // namespace ota::simulator
