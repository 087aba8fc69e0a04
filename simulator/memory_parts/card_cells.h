// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "simulator/memory_parts/overwrite_array.h"

namespace ota::simulator {

struct CardCellsTraits {
  uint32_t size_bytes = 0;
  uint32_t group_bytes = 4 * 1024 * 1024;  ///< what the NAND erases at once
  uint32_t cached_sectors_max = 16;        ///< accepted but not yet on the NAND
  uint64_t group_endurance = 3000;         ///< erases, on the average over all groups
};

/// What is behind the commands of an SD card or an eMMC: sectors that may be written in any order,
/// a cache in front of them, and NAND behind them that is erased in groups.
///
/// Cached sectors reach the NAND in an order of the card's own choice; a power cut loses those that
/// have not, and tears one. Inside, one group is open for writing: a sector that lies in another
/// one costs the erase of a group, and the card levels these over all groups.
class CardCells {
 public:
  static constexpr uint32_t kSectorBytes = 512;
  using Sector = std::array<uint8_t, kSectorBytes>;

  /// `power` must outlive it. `path` as OverwriteArray's.
  CardCells(const CardCellsTraits& traits, PowerSupply& power, const std::string& path = "");

  uint32_t sector_count() const { return array_.unit_count(); }

  /// Takes what is cached before what is on the NAND. kMediumFailed: it cannot be read.
  Status Read(uint32_t sector, MutableByteSpan target);

  /// Into the cache; when that is full, all of it goes to the NAND. kMediumFailed: one of its
  /// sectors could not be written.
  Status Write(uint32_t sector, ByteSpan data);

  /// Past the cache; a power cut leaves the sector's old bytes, until it has all of the new ones.
  Status WriteReliably(uint32_t sector, ByteSpan data);

  Status Flush();

  /// Power was off.
  void DropCache() { cache_.clear(); }

  /// Fills the sectors from `first` up to and including `last` with zeros, at the price of an erase
  /// and not of writing them.
  Status Erase(uint32_t first, uint32_t last);

  /// Erases of NAND groups per group, on the average: what the endurance is about.
  uint64_t group_wear() const { return group_erase_count() / group_count_; }
  uint64_t group_erase_count() const { return array_.figures().erased_bytes / traits_.group_bytes; }
  bool is_worn_out() const { return group_wear() > traits_.group_endurance; }

  OverwriteArray& array() { return array_; }
  const OverwriteArray& array() const { return array_; }

 private:
  static constexpr uint32_t kNoGroup = UINT32_MAX;

  Status WriteToNand(uint32_t sector, ByteSpan data, Tearing tearing);

  CardCellsTraits traits_;
  OverwriteArray array_;
  std::deque<std::pair<uint32_t, Sector>> cache_;
  uint64_t group_count_;
  uint32_t open_group_ = kNoGroup;
};

}  // namespace ota::simulator
