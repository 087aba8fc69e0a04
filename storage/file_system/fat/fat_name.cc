// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/fat/fat_name.h"

#include <algorithm>
#include <cstring>

namespace ota::storage {
namespace {

constexpr uint32_t kNotUtf8 = 0xFFFFFFFF;
constexpr uint8_t kLowerCaseBase = 0x08;
constexpr uint8_t kLowerCaseExtension = 0x10;

// Offsets of the 13 units in a slot.
constexpr uint8_t kUnitOffsets[kFatUnitsPerSlot] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

constexpr char UpperCase(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr uint32_t FoldUnit(uint32_t unit) { return unit >= 'a' && unit <= 'z' ? unit - 32 : unit; }

// Takes one code point off the front; kNotUtf8 when it is none.
uint32_t TakeCodePoint(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t lead = byte(0);
  const uint32_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || length > text.size()) return kNotUtf8;
  uint32_t value = length == 1 ? lead : lead & (0x7Fu >> length);
  for (uint32_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return kNotUtf8;
    value = (value << 6) | (byte(i) & 0x3F);
  }
  constexpr uint32_t kFirst[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kFirst[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    return kNotUtf8;
  }
  text.remove_prefix(length);
  return value;
}

// Units of `name` from the `first`-th on, behind the end one 0 and then 0xFFFF; returns how many
// units the whole name has.
uint32_t CopyUnits(std::string_view name, uint32_t first, uint16_t* units) {
  for (uint32_t i = 0; i < kFatUnitsPerSlot; ++i) units[i] = 0xFFFF;
  uint32_t index = 0;
  const auto put = [&](uint32_t unit) {
    if (index >= first && index - first < kFatUnitsPerSlot) {
      units[index - first] = static_cast<uint16_t>(unit);
    }
    ++index;
  };
  while (!name.empty()) {
    const uint32_t value = TakeCodePoint(name);
    if (value == kNotUtf8) break;
    if (value >= 0x10000) {
      put(0xD800 + ((value - 0x10000) >> 10));
      put(0xDC00 + ((value - 0x10000) & 0x3FF));
    } else {
      put(value);
    }
  }
  const uint32_t count = index;
  put(0);
  return count;
}

bool IsAllowed(uint32_t value) {
  return value >= 0x20 && value != 0x7F &&
         (value > 0x7F || std::strchr("\"*/:<>?\\|", static_cast<int>(value)) == nullptr);
}

bool IsAllowedInShortName(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::strchr("!#$%&'()-@^_`{}~", c) != nullptr);
}

// Copies what a short name allows of `text`; false when anything had to be changed or left out.
bool CopyShortPart(std::string_view text, std::span<uint8_t> part) {
  bool is_same = true;
  size_t length = 0;
  for (const char c : text) {
    if (c == ' ' || c == '.') {
      is_same = false;
      continue;
    }
    if (length == part.size()) return false;
    const char upper = UpperCase(c);
    is_same = is_same && upper == c && IsAllowedInShortName(upper);
    part[length++] = static_cast<uint8_t>(IsAllowedInShortName(upper) ? upper : '_');
  }
  return is_same;
}

}  // namespace

Status VerifyFatName(std::string_view name) {
  if (name.empty() || name.back() == '.' || name.back() == ' ') return Status::kNameInvalid;
  uint32_t unit_count = 0;
  while (!name.empty()) {
    const uint32_t value = TakeCodePoint(name);
    if (value == kNotUtf8 || !IsAllowed(value)) return Status::kNameInvalid;
    unit_count += value >= 0x10000 ? 2 : 1;
  }
  return unit_count > kFatNameUnitsMax ? Status::kNameInvalid : Status::kOk;
}

uint32_t FatSlotCount(std::string_view name) {
  uint16_t units[kFatUnitsPerSlot];
  return (CopyUnits(name, 0, units) + kFatUnitsPerSlot - 1) / kFatUnitsPerSlot;
}

void EncodeFatSlot(std::string_view name, uint32_t order, bool is_last, uint8_t checksum,
                   uint8_t* slot) {
  uint16_t units[kFatUnitsPerSlot];
  (void)CopyUnits(name, (order - 1) * kFatUnitsPerSlot, units);  // the count is known
  std::memset(slot, 0, 32);
  slot[0] = static_cast<uint8_t>(order | (is_last ? 0x40 : 0));
  slot[11] = 0x0F;
  slot[13] = checksum;
  for (uint32_t i = 0; i < kFatUnitsPerSlot; ++i) StoreLe16(slot + kUnitOffsets[i], units[i]);
}

bool MatchesFatSlot(std::string_view name, uint32_t order, bool is_last, const uint8_t* slot) {
  uint16_t units[kFatUnitsPerSlot];
  const uint32_t first = (order - 1) * kFatUnitsPerSlot;
  const uint32_t count = CopyUnits(name, first, units);
  if (count <= first || is_last != (count - first <= kFatUnitsPerSlot)) return false;
  for (uint32_t i = 0; i < kFatUnitsPerSlot && first + i <= count; ++i) {
    if (FoldUnit(units[i]) != FoldUnit(LoadLe16(slot + kUnitOffsets[i]))) return false;
  }
  return true;
}

uint8_t ComputeFatChecksum(const uint8_t* short_name) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < kFatShortNameBytes; ++i) {
    sum = (((sum & 1) << 7) + (sum >> 1) + short_name[i]) & 0xFF;
  }
  return static_cast<uint8_t>(sum);
}

bool MakeFatShortName(std::string_view name, uint8_t* short_name) {
  std::memset(short_name, ' ', kFatShortNameBytes);
  const size_t dot = name.rfind('.');
  const bool has_extension = dot != std::string_view::npos && dot != 0;
  const std::string_view base = has_extension ? name.substr(0, dot) : name;
  const std::string_view extension = has_extension ? name.substr(dot + 1) : std::string_view();
  bool is_same = CopyShortPart(base, {short_name, 8});
  is_same = CopyShortPart(extension, {short_name + 8, 3}) && is_same;
  if (short_name[0] != ' ') return is_same;
  short_name[0] = '_';
  return false;
}

void AddFatTail(uint8_t* short_name, uint32_t digit, uint32_t hash) {
  const size_t kept_max = hash == 0 ? 6 : 2;
  size_t end = 0;
  while (end < kept_max && short_name[end] != ' ') ++end;
  for (int shift = 12; hash != 0 && shift >= 0; shift -= 4) {
    short_name[end++] = static_cast<uint8_t>("0123456789ABCDEF"[(hash >> shift) & 15]);
  }
  short_name[end++] = '~';
  short_name[end++] = static_cast<uint8_t>('0' + digit);
  while (end < 8) short_name[end++] = ' ';
}

size_t FormatFatShortName(const uint8_t* entry, std::span<char, kFatShortTextMax> text) {
  size_t length = 0;
  const auto put = [&](uint32_t first, uint32_t count, bool is_lower) {
    while (count > 0 && entry[first + count - 1] == ' ') --count;
    for (uint32_t i = 0; i < count; ++i) {
      const uint8_t byte = entry[first + i];
      const char c = IsAllowed(byte) && byte < 0x80 ? static_cast<char>(byte) : '_';
      text[length++] = is_lower ? LowerCase(c) : c;
    }
    return count != 0;
  };
  (void)put(0, 8, (entry[12] & kLowerCaseBase) != 0);  // may well be empty on a hostile medium
  text[length++] = '.';
  if (!put(8, 3, (entry[12] & kLowerCaseExtension) != 0)) --length;
  return length;
}

bool EqualsIgnoringCase(std::string_view first, std::string_view second) {
  return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                    [](char a, char b) { return UpperCase(a) == UpperCase(b); });
}

void FatNameCollector::AddByte(uint32_t byte) {
  if (begin_ == 0) {
    is_too_long_ = true;
    return;
  }
  buffer_[--begin_] = static_cast<char>(byte);
}

void FatNameCollector::AddCodePoint(uint32_t code_point) {
  if (code_point < 0x80) return AddByte(code_point);
  uint32_t lead_max = 0x1F;  // the largest value that still fits behind the lead byte's marks
  uint32_t mark = 0xC0;
  do {
    AddByte(0x80 | (code_point & 0x3F));
    code_point >>= 6;
    if (code_point <= lead_max) break;
    lead_max >>= 1;
    mark = 0x80 | (mark >> 1);
  } while (true);
  AddByte(mark | code_point);
}

void FatNameCollector::AddUnit(uint32_t unit) {
  const bool is_high = unit >= 0xD800 && unit < 0xDC00;
  if (is_high != (low_surrogate_ != 0)) {
    is_valid_ = false;
    return;
  }
  if (is_high) {
    AddCodePoint(0x10000 + ((unit - 0xD800) << 10) + (low_surrogate_ - 0xDC00));
    low_surrogate_ = 0;
    return;
  }
  if (unit >= 0xDC00 && unit < 0xE000) {
    low_surrogate_ = unit;
    return;
  }
  if (!IsAllowed(unit)) is_valid_ = false;
  AddCodePoint(unit);
}

void FatNameCollector::Add(const uint8_t* slot, bool is_last) {
  uint32_t count = kFatUnitsPerSlot;
  if (is_last) {
    count = 0;
    while (count < kFatUnitsPerSlot && LoadLe16(slot + kUnitOffsets[count]) != 0) ++count;
  }
  if (count == 0) is_valid_ = false;
  while (count > 0 && is_valid_) AddUnit(LoadLe16(slot + kUnitOffsets[--count]));
}

std::string_view FatNameCollector::Finish() {
  const size_t length = buffer_.size() - begin_;
  std::memmove(buffer_.data(), buffer_.data() + begin_, length);
  return {buffer_.data(), length};
}

}  // namespace ota::storage
