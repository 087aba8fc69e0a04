// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/cell_faults.h"

#include <fstream>
#include <sstream>

namespace ota::simulator {

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
  Load(file, size_bytes, figures);
}

void CellFaults::SaveFile(const std::string& path, const PartFigures& figures) const {
  std::ofstream file(path, std::ios::trunc);
  Save(file, figures);
}

void CellFaults::Load(std::istream& source, uint32_t size_bytes, PartFigures& figures) {
  for (std::string line; std::getline(source, line);) {
    std::istringstream fields(line);
    std::string kind;
    uint32_t at = 0;
    uint32_t value = 0;
    fields >> kind;
    if (kind == "figures") {
      PartFigures kept;
      fields >> kept.read_bytes >> kept.programmed_bytes >> kept.erased_bytes >> kept.busy_ns >>
          kept.transfer_ns >> kept.energy_nj;
      if (fields) figures = kept;
    } else if (fields >> at >> value && at < size_bytes) {
      if (kind == "unstable") MakeUnstable(at, static_cast<uint8_t>(value));
      if (kind == "unreadable") MarkUnreadable(at);
      if (kind == "bad") MarkBad(at, value == 0 ? BadUnit::kLoud : BadUnit::kSilent);
    }
  }
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
