// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

// Names of files on FAT: long ones in UTF-16, in pieces of 13 units before the entry; short ones of
// 8 and 3 characters in the entry. All that a name on the medium may hold is survived here.

namespace ota::storage {

inline constexpr uint32_t kFatUnitsPerSlot = 13;
inline constexpr uint32_t kFatNameUnitsMax = 255;
inline constexpr uint32_t kFatShortNameBytes = 11;
/// Longest short name as text: 8, a dot, 3.
inline constexpr uint32_t kFatShortTextMax = 12;

/// kNameInvalid: empty, "." or "..", over 255 UTF-16 units, not UTF-8, a character that FAT does
/// not allow, or a dot or blank at the end.
Status VerifyFatName(std::string_view name);

/// Count of slots that hold `name`, which VerifyFatName passed.
uint32_t FatSlotCount(std::string_view name);

/// Fills a slot with the `order`-th piece (from 1) of `name`.
void EncodeFatSlot(std::string_view name, uint32_t order, bool is_last, uint8_t checksum,
                   uint8_t* slot);

/// Whether the piece in `slot` is the `order`-th of `name`, ASCII letters of either case.
bool MatchesFatSlot(std::string_view name, uint32_t order, bool is_last, const uint8_t* slot);

/// Of the 11 bytes of a short name.
uint8_t ComputeFatChecksum(const uint8_t* short_name);

/// Makes the short name of `name`. True: it says all of `name`, and no slots are needed. False: it
/// is only the start of one that needs a tail.
bool MakeFatShortName(std::string_view name, uint8_t* short_name);

/// Gives a short name the tail "~digit", or for `hash` other than 0 four digits of it before that.
void AddFatTail(uint8_t* short_name, uint32_t digit, uint32_t hash);

/// The text of the short name in an entry, with its marks for lower case; returns its length.
size_t FormatFatShortName(const uint8_t* entry, std::span<char, kFatShortTextMax> text);

bool EqualsIgnoringCase(std::string_view first, std::string_view second);

/// Collects a long name from its slots, which come last piece first, into the caller's buffer.
class FatNameCollector {
 public:
  explicit FatNameCollector(std::span<char> buffer) : buffer_(buffer), begin_(buffer.size()) {}

  void Restart() { *this = FatNameCollector(buffer_); }
  void Add(const uint8_t* slot, bool is_last);

  bool is_valid() const { return is_valid_ && low_surrogate_ == 0; }
  bool is_too_long() const { return is_too_long_; }

  /// Moves the name to the start of the buffer.
  std::string_view Finish();

 private:
  void AddUnit(uint32_t unit);
  void AddCodePoint(uint32_t code_point);
  void AddByte(uint32_t byte);

  std::span<char> buffer_;
  size_t begin_;
  uint32_t low_surrogate_ = 0;
  bool is_valid_ = true;
  bool is_too_long_ = false;
};

}  // namespace ota::storage
