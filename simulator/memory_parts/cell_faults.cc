// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/cell_faults.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>

#include "simulator/memory_parts/part_state.h"

namespace ota::simulator {
namespace {

constexpr size_t kFiguresCount = 6;
constexpr size_t kLineCharactersMax = 160;  // six numbers of 20 digits, and a word

/// The first word of `text`, which loses it; empty at its end.
std::string_view TakeWord(std::string_view& text) {
  const size_t first = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(first);
  const std::string_view word = text.substr(0, text.find_first_of(" \t\r"));
  text.remove_prefix(word.size());
  return word;
}

bool ParseNumber(std::string_view word, uint64_t& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

std::optional<BadUnit> CellFaults::FindBad(uint32_t first, uint32_t last) const {
  const auto bad = bad_units_.lower_bound(first);
  if (bad == bad_units_.end() || bad->first > last) return std::nullopt;
  return bad->second;
}

void CellFaults::MakeUnstable(uint32_t offset, uint8_t mask) {
  if (mask != 0) unstable_[offset] |= mask;
}

void CellFaults::KeepUnstable(uint32_t offset, uint8_t mask) {
  const auto found = unstable_.find(offset);
  if (found == unstable_.end()) return;
  found->second &= mask;
  if (found->second == 0) unstable_.erase(found);
}

void CellFaults::Settle(uint32_t first, uint32_t end) {
  unstable_.erase(unstable_.lower_bound(first), unstable_.lower_bound(end));
  unreadable_.erase(unreadable_.lower_bound(first), unreadable_.lower_bound(end));
}

Status CellFaults::Disturb(uint32_t first_touched, uint32_t offset, MutableByteSpan target) {
  const uint32_t end = offset + static_cast<uint32_t>(target.size());
  for (auto it = unstable_.lower_bound(offset); it != unstable_.end() && it->first < end; ++it) {
    target[it->first - offset] ^= static_cast<uint8_t>((prng_.Next() >> 8) & it->second);
  }
  const auto failure = read_failures_.lower_bound(first_touched);
  if (failure != read_failures_.end() && failure->first < end) {
    if (--failure->second == 0) read_failures_.erase(failure);
    return Status::kMediumFailed;
  }
  const auto unreadable = unreadable_.lower_bound(first_touched);
  const bool is_readable = unreadable == unreadable_.end() || *unreadable >= end;
  return is_readable ? Status::kOk : Status::kMediumFailed;
}

void CellFaults::LoadFile(const std::string& path, uint32_t size_bytes, PartFigures& figures) {
  std::ifstream file(path);
  const std::optional<std::string> damage = Load(file, size_bytes, figures);
  if (!damage) return;
  throw PartFileError(path + ": " + *damage +
                      ": it is damaged or another part's; mend it, or remove it, and the part has "
                      "no faults and has done nothing yet");
}

void CellFaults::SaveFile(const std::string& path, const PartFigures& figures) const {
  const std::string whole = path + ".new";
  std::ofstream file(whole, std::ios::trunc);
  Save(file, figures);
  file.close();
  std::error_code ignored;  // there is nobody to tell; the file of before stays
  if (file) std::filesystem::rename(whole, path, ignored);
  if (!file || ignored) std::filesystem::remove(whole, ignored);
}

std::optional<std::string> CellFaults::Load(std::istream& source, uint32_t size_bytes,
                                            PartFigures& figures) {
  CellFaults faults;
  PartFigures kept = figures;
  std::array<char, kLineCharactersMax> line;
  for (uint32_t number = 1; source.peek() != std::istream::traits_type::eof(); ++number) {
    source.getline(line.data(), line.size());  // fails when the line is longer
    const size_t length = static_cast<size_t>(source.gcount()) - (source.eof() ? 0 : 1);
    if (!source || !faults.LoadLine({line.data(), length}, size_bytes, kept)) {
      return "line " + std::to_string(number) + " is none that this part writes";
    }
  }
  *this = std::move(faults);
  figures = kept;
  return std::nullopt;
}

bool CellFaults::LoadLine(std::string_view line, uint32_t size_bytes, PartFigures& figures) {
  const std::string_view kind = TakeWord(line);
  std::array<uint64_t, kFiguresCount> numbers{};
  size_t count = 0;
  for (std::string_view word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
    if (count == numbers.size() || !ParseNumber(word, numbers[count])) return false;
    count += 1;
  }
  if (kind.empty()) return true;
  if (kind == "figures" && count == kFiguresCount) {
    figures = {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    return true;
  }
  if (count != 2 || numbers[0] >= size_bytes || numbers[1] > UINT8_MAX) return false;
  const auto at = static_cast<uint32_t>(numbers[0]);
  const auto value = static_cast<uint8_t>(numbers[1]);
  if (kind == "unstable") MakeUnstable(at, value);
  if (kind == "unreadable") MarkUnreadable(at);
  if (kind == "bad") MarkBad(at, value == 0 ? BadUnit::kLoud : BadUnit::kSilent);
  return kind == "unstable" || kind == "unreadable" || kind == "bad";
}

void CellFaults::Save(std::ostream& target, const PartFigures& figures) const {
  target << "figures " << figures.read_bytes << ' ' << figures.programmed_bytes << ' '
         << figures.erased_bytes << ' ' << figures.busy_ns << ' ' << figures.transfer_ns << ' '
         << figures.energy_nj << '\n';
  for (const auto& [at, mask] : unstable_) target << "unstable " << at << ' ' << +mask << '\n';
  for (const uint32_t at : unreadable_) target << "unreadable " << at << " 0\n";
  for (const auto& [unit, kind] : bad_units_) {
    target << "bad " << unit << ' ' << static_cast<int>(kind) << '\n';
  }
}

}  // namespace ota::simulator
