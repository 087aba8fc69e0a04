// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "simulator/memory_parts/memory_image.h"

// What a part knows of its cells beyond their bytes: how often each unit was changed, which are
// half erased, how often each program unit was programmed. It lives in a file that is always up to
// date, and that may come back damaged or be another part's: no count is used before all were
// looked at.

namespace ota::simulator {

/// A file that a part lives in cannot be what the part has left there. The message tells what,
/// where, and what to do.
class PartFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What is kept, in this order: `wear_bytes` of each unit, little-endian; a byte of each unit that
/// can be half erased, 0 or 1; a byte of each program unit whose programs are counted.
struct PartStateLayout {
  uint32_t unit_count = 0;
  uint32_t wear_bytes = 4;  ///< or 8
  bool has_half_erased = false;
  uint32_t program_unit_count = 0;  ///< 0: programs are not counted
  uint8_t programs_max = 0;

  /// More changes of a unit than any part lives through, or there is time for.
  uint64_t wear_max() const { return uint64_t{1} << (wear_bytes == 8 ? 56 : 30); }
  uint32_t marks_offset() const { return unit_count * wear_bytes; }
  uint32_t programs_offset() const { return marks_offset() + (has_half_erased ? unit_count : 0); }
  uint32_t size_bytes() const { return programs_offset() + program_unit_count; }
};

/// What of `state` no part of this layout has left, and at which byte; nothing if it is sound.
std::optional<std::string> FindStateDamage(const PartStateLayout& layout, ByteSpan state);

class PartState {
 public:
  /// With a path it lives in that file, which is made if it is not there or empty. Throws
  /// PartFileError, and leaves the file as it is, when it is damaged; std::system_error with the
  /// path when it cannot be had.
  explicit PartState(const PartStateLayout& layout, const std::string& path = "");

  uint64_t wear(uint32_t unit) const;
  /// Returns the wear with the change that is added; it ends at wear_max.
  uint64_t AddWear(uint32_t unit);

  bool is_half_erased(uint32_t unit) const {
    return image_.bytes()[layout_.marks_offset() + unit] != 0;
  }
  void set_half_erased(uint32_t unit, bool is_half_erased) {
    image_.bytes()[layout_.marks_offset() + unit] = is_half_erased ? 1 : 0;
  }

  uint8_t programs(uint32_t program_unit) const {
    return image_.bytes()[layout_.programs_offset() + program_unit];
  }
  void AddProgram(uint32_t program_unit) {
    image_.bytes()[layout_.programs_offset() + program_unit] += 1;
  }
  void ClearPrograms(uint32_t first, uint32_t count);

 private:
  PartStateLayout layout_;
  MemoryImage image_;
};

}  // namespace ota::simulator
