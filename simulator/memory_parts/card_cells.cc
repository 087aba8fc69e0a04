// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/card_cells.h"

#include <algorithm>

namespace ota::simulator {

CardCells::CardCells(const CardCellsTraits& traits, PowerSupply& power, const std::string& path)
    : traits_(traits),
      array_({.size_bytes = traits.size_bytes,
              .unit_bytes = kSectorBytes,
              .erased_value = 0,
              .tears_whole_unit = true,
              .may_be_unreadable = true,
              .endurance = UINT64_MAX},
             power, path),
      group_count_((traits.size_bytes - 1) / traits.group_bytes + 1) {}

Status CardCells::Read(uint32_t sector, MutableByteSpan target) {
  if (sector >= sector_count()) return Status::kOutOfRange;
  if (!array_.power().is_on()) return Status::kMediumFailed;
  const auto cached = std::find_if(cache_.rbegin(), cache_.rend(),
                                   [&](const auto& entry) { return entry.first == sector; });
  if (cached == cache_.rend()) return array_.Read(sector * kSectorBytes, target);
  std::copy(cached->second.begin(), cached->second.end(), target.begin());
  return Status::kOk;
}

Status CardCells::Write(uint32_t sector, ByteSpan data) {
  if (sector >= sector_count()) return Status::kOutOfRange;
  Sector bytes;
  std::copy(data.begin(), data.end(), bytes.begin());
  cache_.emplace_back(sector, bytes);
  return cache_.size() < traits_.cached_sectors_max ? Status::kOk : Flush();
}

Status CardCells::WriteReliably(uint32_t sector, ByteSpan data) {
  if (sector >= sector_count()) return Status::kOutOfRange;
  std::erase_if(cache_, [&](const auto& entry) { return entry.first == sector; });
  return WriteToNand(sector, data, Tearing::kUntouched);
}

Status CardCells::Flush() {
  Status answer = Status::kOk;
  while (!cache_.empty()) {
    const size_t pick = array_.power().prng().NextBelow(static_cast<uint32_t>(cache_.size()));
    const auto chosen = cache_.begin() + static_cast<std::ptrdiff_t>(pick);
    // An older write of the same sector goes first.
    const auto first = std::find_if(
        cache_.begin(), chosen, [&](const auto& entry) { return entry.first == chosen->first; });
    const Status written = WriteToNand(first->first, first->second, Tearing::kTorn);
    if (!IsOk(written)) answer = written;
    cache_.erase(first);
  }
  return answer;
}

Status CardCells::Erase(uint32_t first, uint32_t last) {
  if (first > last || last >= sector_count()) return Status::kOutOfRange;
  static constexpr Sector kZeros{};
  std::erase_if(cache_,
                [&](const auto& entry) { return entry.first >= first && entry.first <= last; });
  for (uint32_t sector = first; sector <= last; ++sector) {
    OTA_TRY(array_.Write(sector * kSectorBytes, kZeros));
  }
  array_.figures().programmed_bytes -= uint64_t{last - first + 1} * kSectorBytes;
  return Status::kOk;
}

Status CardCells::WriteToNand(uint32_t sector, ByteSpan data, Tearing tearing) {
  if (is_worn_out()) return Status::kMediumFailed;
  const uint32_t group = sector / (traits_.group_bytes / kSectorBytes);
  if (group != open_group_) array_.figures().erased_bytes += traits_.group_bytes;
  open_group_ = group;
  return array_.Write(sector * kSectorBytes, data, tearing);
}

}  // namespace ota::simulator
