// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "simulator/memory_parts/memory_image.h"
#include "simulator/memory_parts/part_figures.h"
#include "simulator/memory_parts/power_supply.h"

// The cells of a memory that is overwritten freely, a unit at a time: pages of an EEPROM, rows of a
// FRAM, sectors of a card.

namespace ota::simulator {

struct OverwriteTraits {
  uint32_t size_bytes = 0;
  uint32_t unit_bytes = 0;       ///< what wears, and what a cut spoils, as a whole
  uint8_t erased_value = 0;      ///< of a new part
  bool tears_whole_unit = true;  ///< a cut may spoil the bytes of the unit that are not written too
  bool may_be_unreadable = false;  ///< a torn unit may fail to be read
  uint64_t endurance = 1000000;    ///< writes of a unit before it may fail
};

class OverwriteArray {
 public:
  /// `power` must outlive it. With a path the bytes live in that file.
  OverwriteArray(const OverwriteTraits& traits, PowerSupply& power, const std::string& path = "");

  const OverwriteTraits& traits() const { return traits_; }

  /// Writes bytes within one unit. kMediumFailed: power is off or failed in it, or the unit is bad.
  Status Write(uint32_t offset, ByteSpan data);

  /// kMediumFailed: power is off, or a unit cannot be read.
  Status Read(uint32_t offset, MutableByteSpan target);

  ByteSpan bytes() const { return image_.bytes(); }

  // Faults
  void MarkBad(uint32_t unit) { bad_units_.insert(unit); }
  void MarkUnreadable(uint32_t unit) { unreadable_units_.insert(unit); }
  void FlipBit(uint32_t offset, uint8_t bit) {
    image_.bytes()[offset] ^= static_cast<uint8_t>(1u << bit);
  }

  uint32_t unit_count() const { return traits_.size_bytes / traits_.unit_bytes; }
  uint32_t wear(uint32_t unit) const;
  const PartFigures& figures() const { return figures_; }
  PartFigures& figures() { return figures_; }
  PowerSupply& power() { return power_; }

 private:
  void TearUnit(uint32_t offset, ByteSpan data, uint32_t whole_count);

  OverwriteTraits traits_;
  PowerSupply& power_;
  MemoryImage image_;
  std::map<uint32_t, uint32_t> wear_;
  std::map<uint32_t, uint8_t> unstable_;
  std::set<uint32_t> bad_units_;
  std::set<uint32_t> unreadable_units_;
  PartFigures figures_;
  Prng read_prng_{0x51ED270B};
};

}  // namespace ota::simulator
