// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "simulator/memory_parts/cell_faults.h"
#include "simulator/memory_parts/memory_image.h"
#include "simulator/memory_parts/part_figures.h"
#include "simulator/memory_parts/part_state.h"
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
  bool reads_wear = false;         ///< a read is a read and a write back, as in a FRAM
  uint64_t endurance = 1000000;    ///< writes of a unit before it may fail
};

/// What a power cut leaves of the unit that is being written.
enum class Tearing : uint8_t {
  kTorn,       ///< anything between old and new, or spoilt
  kUntouched,  ///< what was there: the part keeps the old until the new is whole
};

class OverwriteArray {
 public:
  /// `power` must outlive it. With a path the bytes live in that file; wear in `path`.state, which
  /// is always up to date; faults and figures in `path`.faults, written at the end. Throws as
  /// PartState and CellFaults::LoadFile.
  OverwriteArray(const OverwriteTraits& traits, PowerSupply& power, const std::string& path = "");
  ~OverwriteArray();

  const OverwriteTraits& traits() const { return traits_; }

  /// Writes bytes within one unit. kMediumFailed: power is off or failed in it, or the unit is bad
  /// or worn out.
  Status Write(uint32_t offset, ByteSpan data, Tearing tearing = Tearing::kTorn);

  /// kMediumFailed: power is off, or a unit cannot be read.
  Status Read(uint32_t offset, MutableByteSpan target);

  ByteSpan bytes() const { return image_.bytes(); }

  // Faults
  void MarkBad(uint32_t unit, BadUnit kind = BadUnit::kLoud) { faults_.MarkBad(unit, kind); }
  void MarkUnreadable(uint32_t unit) { faults_.MarkUnreadable(unit * traits_.unit_bytes); }
  /// The next `count` reads that touch the unit fail.
  void FailReads(uint32_t unit, uint32_t count) {
    faults_.FailReads(unit * traits_.unit_bytes, count);
  }
  void FlipBit(uint32_t offset, uint8_t bit) {
    image_.bytes()[offset] ^= static_cast<uint8_t>(1u << bit);
  }

  uint32_t unit_count() const { return traits_.size_bytes / traits_.unit_bytes; }
  uint64_t wear(uint32_t unit) const { return state_.wear(unit); }
  bool has_unstable_bits() const { return faults_.has_unstable_bits(); }
  const PartFigures& figures() const { return figures_; }
  PartFigures& figures() { return figures_; }
  PowerSupply& power() { return power_; }
  const PowerSupply& power() const { return power_; }

 private:
  void TearUnit(uint32_t offset, ByteSpan data, uint32_t whole_count);

  OverwriteTraits traits_;
  PowerSupply& power_;
  std::string path_;
  MemoryImage image_;
  PartState state_;  ///< wear of each unit
  CellFaults faults_;
  PartFigures figures_;
};

}  // namespace ota::simulator
