// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/status.h"
#include "simulator/memory_parts/memory_image.h"
#include "simulator/memory_parts/part_figures.h"
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

/// How an erase unit fails.
enum class BadUnit : uint8_t {
  kLoud,    ///< program and erase report failure
  kSilent,  ///< program and erase report success and change nothing
};

class NorArray {
 public:
  /// `power` must outlive it. With a path the bytes live in that file, and wear and counts in
  /// `path`.state, written at the end.
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

  // Faults
  void MarkBad(uint32_t unit, BadUnit kind) { bad_units_[unit] = kind; }
  void FlipBit(uint32_t offset, uint8_t bit);
  /// The next `count` reads that touch the program unit at `offset` fail.
  void FailReads(uint32_t offset, uint32_t count);

  uint32_t wear(uint32_t unit) const { return wear_[unit]; }
  uint32_t unit_count() const { return traits_.size_bytes / traits_.erase_unit; }
  bool has_unstable_bits() const { return !unstable_.empty(); }
  const PartFigures& figures() const { return figures_; }
  PartFigures& figures() { return figures_; }

 private:
  bool IsAllowed(uint32_t offset, ByteSpan data) const;
  std::optional<BadUnit> FindBad(uint32_t offset, uint32_t length) const;
  void ProgramByte(uint32_t at, uint8_t value);
  void CountPrograms(uint32_t offset, uint32_t length);
  void TearUnit(uint32_t offset, ByteSpan data);
  void EraseUnit(uint32_t unit);
  void TearErase(uint32_t unit);
  void Settle(uint32_t first, uint32_t end);
  void MakeUnstable(uint32_t at, uint8_t mask);
  void SetUncorrectable(uint32_t at);
  void LoadState();
  void SaveState() const;

  NorTraits traits_;
  PowerSupply& power_;
  std::string path_;
  MemoryImage image_;
  std::vector<uint32_t> wear_;             ///< per erase unit
  std::vector<uint8_t> programs_;          ///< per program unit, where they are limited
  std::vector<bool> half_erased_;          ///< per erase unit
  std::map<uint32_t, uint8_t> unstable_;   ///< offset -> bits that read differently twice
  std::set<uint32_t> uncorrectable_;       ///< offsets of program units whose check bits do not fit
  std::map<uint32_t, BadUnit> bad_units_;  ///< erase unit -> how it fails
  std::map<uint32_t, uint32_t> read_failures_;
  PartFigures figures_;
  Prng read_prng_{0x9E3779B9};
};

}  // namespace ota::simulator
