// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// The seven boards of the article "OTA-TinyML: Over the Air Deployment of TinyML Models and
// Execution on IoT Devices" (IEEE Internet Computing, 2022), table 1.

namespace ota::simulator {

/// What a board keeps its models on.
enum class MemoryUnitKind : uint8_t {
  kOnChipFlash,  ///< memory mapped; slots on a partition
  kSdCard,       ///< a container on FAT
  kEeprom,       ///< a container on EEFS
  kSpiNor,       ///< files on SPIFFS
};

/// What the device library and its surroundings take of a board's SRAM, in bytes, beside the driver
/// and store of the memory unit; the rest is the arena of the models. Measured or set as the
/// figures beside them say.
inline constexpr uint32_t kTlsPoolBytes = 20 * 1024;  ///< fragments of 2048 bytes
inline constexpr uint32_t kNetworkBytes = 14 * 1024;  ///< lwIP with a small segment size
inline constexpr uint32_t kStackBytes = 8 * 1024;     ///< the handshake takes 3 KiB
inline constexpr uint32_t kAgentBytes = 16 * 1024;    ///< update agent, trust, buffers: 14184
inline constexpr uint32_t kReservedSramBytes =
    kTlsPoolBytes + kNetworkBytes + kStackBytes + kAgentBytes;

/// What driver, queues, read cache, file system and store of a unit take; the objects are held to
/// it when they are compiled.
constexpr uint32_t UnitSramBytes(MemoryUnitKind kind) {
  switch (kind) {
    case MemoryUnitKind::kOnChipFlash:
      return 4 * 1024;
    case MemoryUnitKind::kSdCard:
      return 11 * 1024;
    case MemoryUnitKind::kEeprom:
      return 5 * 1024;
    case MemoryUnitKind::kSpiNor:
      return 16 * 1024;  // it remembers where 80 pieces of each open model lie
  }
  return 0;
}

struct BoardTraits {
  std::string_view id;  ///< "B1" to "B7"
  std::string_view name;
  std::string_view core;
  uint32_t flash_bytes;
  uint32_t sram_bytes;
  uint32_t clock_mhz;
  MemoryUnitKind unit;

  constexpr uint32_t arena_bytes() const {
    return sram_bytes - kReservedSramBytes - UnitSramBytes(unit);
  }
};

std::span<const BoardTraits> AllBoards();

/// By id, without regard to case; null: there is none.
const BoardTraits* FindBoard(std::string_view id);

/// "on-chip flash", "SD card, FAT", …
std::string_view UnitName(MemoryUnitKind kind);

}  // namespace ota::simulator
