// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulator/board/memory_unit.h"

namespace ota::simulator {

/// Where the ESP32 of B5 keeps files: the partition table of one application of 1 MB and the rest
/// of its 4 MB for SPIFFS.
inline constexpr uint32_t kSpiffsOffset = 0x110000;
inline constexpr uint32_t kSpiffsBytes = 0x2F0000;

/// A memory unit whose models are files: serial NOR with SPIFFS.
std::unique_ptr<MemoryUnit> MakeFileUnit(const MediumPlace& place, SimulatedClock& clock,
                                         PowerSupply& power);

}  // namespace ota::simulator
