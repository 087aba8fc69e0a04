// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/prng.h"
#include "base/status.h"
#include "simulator/memory_parts/part_figures.h"

namespace ota::simulator {

/// How a unit of cells fails.
enum class BadUnit : uint8_t {
  kLoud,    ///< program and erase report failure
  kSilent,  ///< program and erase report success and change nothing
};

/// What is wrong with the cells of a part: units that fail, bytes with bits that read differently
/// twice, places that cannot be read. Offsets are in bytes, units are numbered.
class CellFaults {
 public:
  void MarkBad(uint32_t unit, BadUnit kind) { bad_units_[unit] = kind; }
  /// The first of the units `first` to `last` that is bad.
  std::optional<BadUnit> FindBad(uint32_t first, uint32_t last) const;

  /// The bits of `mask` at `offset` read either way from now on.
  void MakeUnstable(uint32_t offset, uint8_t mask);
  /// Of the unstable bits at `offset` only those of `mask` stay so.
  void KeepUnstable(uint32_t offset, uint8_t mask);
  bool has_unstable_bits() const { return !unstable_.empty(); }

  /// A read that touches the byte at `offset` fails, until Settle.
  void MarkUnreadable(uint32_t offset) { unreadable_.insert(offset); }
  /// The next `count` reads that touch the byte at `offset` fail.
  void FailReads(uint32_t offset, uint32_t count) { read_failures_[offset] = count; }

  /// From `first` up to `end` everything was written anew: stable and readable.
  void Settle(uint32_t first, uint32_t end);

  /// Does to a read of `target` at `offset` what the faults do; `first_touched`, at most `offset`,
  /// is where the unit begins that is read as a whole. kMediumFailed: it cannot be read.
  Status Disturb(uint32_t first_touched, uint32_t offset, MutableByteSpan target);

  /// Takes the faults, and `figures`, from the text that Save writes. Returns what is not right of
  /// it, and in which line, if anything; then nothing was changed. Offsets and units must be below
  /// `size_bytes`.
  [[nodiscard]] std::optional<std::string> Load(std::istream& source, uint32_t size_bytes,
                                                PartFigures& figures);
  void Save(std::ostream& target, const PartFigures& figures) const;

  /// The same with a file; one that is not there has no faults. Throws PartFileError, and leaves
  /// the file as it is, when something in it is not right.
  void LoadFile(const std::string& path, uint32_t size_bytes, PartFigures& figures);
  /// At no moment is the file there in part.
  void SaveFile(const std::string& path, const PartFigures& figures) const;

 private:
  bool LoadLine(std::string_view line, uint32_t size_bytes, PartFigures& figures);

  std::map<uint32_t, uint8_t> unstable_;
  std::set<uint32_t> unreadable_;
  std::map<uint32_t, BadUnit> bad_units_;
  std::map<uint32_t, uint32_t> read_failures_;
  Prng prng_{0x9E3779B9};
};

}  // namespace ota::simulator
