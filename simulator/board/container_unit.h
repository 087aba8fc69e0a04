// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulator/board/memory_unit.h"

namespace ota::simulator {

/// The card in B3 and B7.
inline constexpr uint32_t kCardBytes = 512 * 1024 * 1024;

/// A memory unit with a volume of files, in one of which lies the store: a card with FAT or EEPROMs
/// with EEFS.
std::unique_ptr<MemoryUnit> MakeContainerUnit(MemoryUnitKind kind, const MediumPlace& place,
                                              SimulatedClock& clock, PowerSupply& power);

}  // namespace ota::simulator
