// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulator/board/memory_unit.h"
#include "simulator/memory_parts/i2c_memory_part.h"
#include "simulator/memory_parts/sd_card_part.h"

namespace ota::simulator {

/// Where the ESP32 of B5 keeps files: the partition table of one application of 1 MB and the rest
/// of its 4 MB for SPIFFS.
inline constexpr uint32_t kSpiffsOffset = 0x110000;
inline constexpr uint32_t kSpiffsBytes = 0x2F0000;

/// The card in B3 and B7.
inline constexpr uint32_t kCardBytes = 512 * 1024 * 1024;

/// A memory unit whose models are files: a card with FAT, EEPROMs with EEFS, serial NOR with
/// SPIFFS.
std::unique_ptr<MemoryUnit> MakeFileUnit(MemoryUnitKind kind, const MediumPlace& place,
                                         SimulatedClock& clock, PowerSupply& power);

/// Whether all of `bytes` are `erased_value`.
bool IsBlank(ByteSpan bytes, uint8_t erased_value);

}  // namespace ota::simulator
