// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/board_table.h"

#include <algorithm>
#include <cctype>

#include "base/units.h"

namespace ota::simulator {
namespace {

// B3 has 1 MB of SRAM on chip, the rest is SDRAM; B7 has the 16 MB of flash that the article says.
constexpr BoardTraits kBoards[] = {
    {"B1", "Teensy 4.0", "Cortex-M7", MiB(2), MiB(1), 600, MemoryUnitKind::kOnChipFlash},
    {"B2", "STM32 Nucleo H7", "Cortex-M7", MiB(2), MiB(1), 480, MemoryUnitKind::kOnChipFlash},
    {"B3", "Arduino Portenta H7", "Cortex-M7", MiB(16), MiB(8), 480, MemoryUnitKind::kSdCard},
    {"B4", "Feather M4 Express", "Cortex-M4F", MiB(2), KiB(192), 120, MemoryUnitKind::kEeprom},
    {"B5", "generic ESP32", "Xtensa LX6", MiB(4), KiB(520), 240, MemoryUnitKind::kSpiNor},
    {"B6", "Arduino Nano 33", "Cortex-M4F", MiB(1), KiB(256), 64, MemoryUnitKind::kEeprom},
    {"B7", "Raspberry Pi Pico", "Cortex-M0+", MiB(16), KiB(264), 133, MemoryUnitKind::kSdCard},
};

bool IsEqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::toupper(x) == std::toupper(y);
  });
}

}  // namespace

std::span<const BoardTraits> AllBoards() { return kBoards; }

const BoardTraits* FindBoard(std::string_view id) {
  const auto* const found =
      std::find_if(std::begin(kBoards), std::end(kBoards),
                   [&](const auto& b) { return IsEqualIgnoringCase(b.id, id); });
  return found == std::end(kBoards) ? nullptr : found;
}

std::string_view UnitName(MemoryUnitKind kind) {
  switch (kind) {
    case MemoryUnitKind::kOnChipFlash:
      return "on-chip flash";
    case MemoryUnitKind::kSdCard:
      return "SD card, FAT";
    case MemoryUnitKind::kEeprom:
      return "EEPROM, EEFS";
    case MemoryUnitKind::kSpiNor:
      return "SPI NOR, SPIFFS";
  }
  return "unknown";
}

}  // namespace ota::simulator
