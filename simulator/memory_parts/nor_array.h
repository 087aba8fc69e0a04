// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "simulator/memory_parts/cell_faults.h"
#include "simulator/memory_parts/memory_image.h"
#include "simulator/memory_parts/part_figures.h"
#include "simulator/memory_parts/part_state.h"
#include "simulator/memory_parts/power_supply.h"

// The cells of a NOR flash: what may be done to them, what a power cut leaves in them, how they
// wear and fail. Parts put their commands and their time around it.

namespace ota::simulator {

/// How the cells of a part behave. Sources and uncertainties of the numbers: docs/memory_parts.md.
struct NorTraits {
  uint32_t size_bytes = 0;
  uint32_t erase_unit = 0;
  uint32_t program_unit = 0;
  uint8_t programs_max = 0;  ///< of one program unit between two erases; 0: bits may go to 0 freely
  bool has_ecc = false;      ///< a torn program unit may be unreadable
  uint32_t endurance = 100000;  ///< erases of a unit before it may fail
};

class NorArray {
 public:
  /// `power` must outlive it. With a path the bytes live in that file; wear and counts of programs
  /// in `path`.state, which is always up to date; faults and figures in `path`.faults, written at
  /// the end. Throws as PartState and CellFaults::LoadFile.
  NorArray(const NorTraits& traits, PowerSupply& power, const std::string& path = "");
  ~NorArray();

  const NorTraits& traits() const { return traits_; }
  bool is_powered() const { return power_.is_on(); }

  /// kNotErased: a bit would go from 0 to 1, a unit was programmed too often, or is half erased and
  /// shall hold something else than zeros; nothing was changed. kMediumFailed: power is off or
  /// failed, or a bad unit.
  Status Program(uint32_t offset, ByteSpan data);

  /// Erases one or several units.
  Status Erase(uint32_t offset, uint32_t length);

  /// kMediumFailed: power is off, a read error is injected, or check bits do not fit.
  Status Read(uint32_t offset, MutableByteSpan target);

  ByteSpan bytes() const { return image_.bytes(); }

  /// What is left of an erase, or of a program of zeros in these bytes, that ended on its way after
  /// all: it was suspended, and power failed.
  void SpoilErase(uint32_t offset, uint32_t length);
  void SpoilProgram(uint32_t offset, uint32_t length);

  // Faults
  void MarkBad(uint32_t unit, BadUnit kind) { faults_.MarkBad(unit, kind); }
  void FlipBit(uint32_t offset, uint8_t bit);
  /// The next `count` reads that touch the program unit at `offset` fail.
  void FailReads(uint32_t offset, uint32_t count);

  uint64_t wear(uint32_t unit) const { return state_.wear(unit); }
  uint32_t unit_count() const { return traits_.size_bytes / traits_.erase_unit; }
  bool has_unstable_bits() const { return faults_.has_unstable_bits(); }
  const PartFigures& figures() const { return figures_; }
  PartFigures& figures() { return figures_; }

 private:
  void CountWhatIsThere();
  bool IsAllowed(uint32_t offset, ByteSpan data) const;
  std::optional<BadUnit> FindBad(uint32_t offset, uint32_t length) const {
    return faults_.FindBad(offset / traits_.erase_unit, (offset + length - 1) / traits_.erase_unit);
  }
  void ProgramByte(uint32_t at, uint8_t value);
  void CountPrograms(uint32_t offset, uint32_t length);
  void TearUnit(uint32_t offset, ByteSpan data);
  void EraseUnit(uint32_t unit);
  void TearErase(uint32_t unit);
  uint32_t UnitStart(uint32_t offset) const {
    return offset / traits_.program_unit * traits_.program_unit;
  }

  NorTraits traits_;
  PowerSupply& power_;
  std::string path_;
  MemoryImage image_;
  PartState state_;  ///< wear and marks of erase units; programs where they are limited
  CellFaults faults_;
  PartFigures figures_;
};

}  // namespace ota::simulator
