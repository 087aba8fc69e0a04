// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "base/prng.h"
#include "base/result.h"
#include "base/units.h"
#include "storage/block_device/memory_block_device.h"

// A strict memory unit in RAM for the tests of the file systems: keeps the rules of its geometry,
// is busy for a while after each change, and loses power after a given number of changed bytes.

namespace ota::storage {

/// What a program unit holds that was being programmed when power was lost.
enum class Tear : uint8_t {
  kWhole,   ///< the old bytes or the new ones
  kPrefix,  ///< new bytes up to the cut, old ones behind
  kMixed,   ///< behind the cut any mixture of the bits of both
};

inline Geometry OverwritingGeometry(uint32_t size_bytes, uint32_t unit) {
  return {size_bytes, unit, unit, unit, 0, true, false};
}
inline Geometry NorGeometry(uint32_t size_bytes, uint32_t erase_unit) {
  return {size_bytes, 1, 1, erase_unit, 0xFF, true, true};
}

class TestDevice final : public BlockDevice {
 public:
  explicit TestDevice(const Geometry& geometry)
      : bytes(geometry.size_bytes, geometry.erased_value), geometry_(geometry) {}

  const Geometry& geometry() const override { return geometry_; }

  Status Read(uint32_t offset, MutableByteSpan target) override {
    if (is_off_) return Status::kMediumFailed;
    if (TakeBusy()) return Status::kBusy;
    if (unreadable_at - uint64_t{offset} < target.size()) return Status::kMediumFailed;
    return Memory().Read(offset, target);
  }

  Status Program(uint32_t offset, ByteSpan data) override {
    if (is_off_) return Status::kMediumFailed;
    if (TakeBusy()) return Status::kBusy;
    const std::vector<uint8_t> before = CopyRange(offset, data.size());
    OTA_TRY(Memory().Program(offset, data));
    if (unreadable_at - uint64_t{offset} < data.size()) unreadable_at = kNowhere;
    busy_left_ = busy_polls;
    if (changed_bytes + data.size() > cut_at) {
      TearProgram(offset, before, data, cut_at - changed_bytes);
      is_off_ = true;
      return Status::kMediumFailed;
    }
    changed_bytes += data.size();
    return Status::kOk;
  }

  Status Erase(uint32_t offset, uint32_t length) override {
    if (is_off_) return Status::kMediumFailed;
    if (TakeBusy()) return Status::kBusy;
    const std::vector<uint8_t> before = CopyRange(offset, length);
    OTA_TRY(Memory().Erase(offset, length));
    busy_left_ = busy_polls;
    if (changed_bytes + kEraseCost > cut_at) {
      TearErase(offset, before);
      is_off_ = true;
      return Status::kMediumFailed;
    }
    changed_bytes += kEraseCost;
    ++erase_count;
    ++erases_at[offset];
    return Status::kOk;
  }

  Status Sync() override {
    if (is_off_) return Status::kMediumFailed;
    return TakeBusy() ? Status::kBusy : Status::kOk;
  }
  bool is_busy() const override { return busy_left_ != 0; }

  /// Power is back.
  void Restore() {
    is_off_ = false;
    busy_left_ = 0;
    cut_at = UINT64_MAX;
  }
  bool is_off() const { return is_off_; }

  std::vector<uint8_t> bytes;
  uint32_t busy_polls = 0;  ///< how often it says kBusy after a change
  static constexpr uint64_t kNowhere = UINT64_MAX;
  uint64_t unreadable_at = kNowhere;  ///< an offset that cannot be read until it is programmed
  uint64_t cut_at = UINT64_MAX;       ///< power fails after so many changed bytes
  uint64_t changed_bytes = 0;         ///< counted since the start
  uint64_t erase_count = 0;
  std::map<uint32_t, uint32_t> erases_at;  ///< how many, by the first offset of each
  Tear tear = Tear::kWhole;
  Prng prng{1};

 private:
  static constexpr uint64_t kEraseCost = 4;  // cut points in an erase

  bool TakeBusy() {
    if (busy_left_ == 0) return false;
    --busy_left_;
    return true;
  }
  std::vector<uint8_t> CopyRange(uint32_t offset, uint64_t length) const {
    if (!IsInBounds(offset, length, bytes.size())) return {};
    return {bytes.begin() + offset, bytes.begin() + offset + static_cast<std::ptrdiff_t>(length)};
  }

  void TearProgram(uint32_t offset, const std::vector<uint8_t>& before, ByteSpan data,
                   uint64_t done) {
    if (tear == Tear::kWhole) done -= done % geometry().program_unit;
    const uint64_t unit_end = done - done % geometry().program_unit + geometry().program_unit;
    for (uint64_t i = done; i < before.size(); ++i) {
      uint8_t value = before[i];
      if (tear == Tear::kMixed && i < unit_end) {
        const uint32_t from_new = prng.Next();
        value = static_cast<uint8_t>((data[i] & from_new) | (before[i] & ~from_new));
      }
      bytes[offset + i] = value;
    }
  }

  void TearErase(uint32_t offset, const std::vector<uint8_t>& before) {
    // Nothing erased, all erased, or anything.
    const uint64_t stage = cut_at - changed_bytes;
    for (size_t i = 0; i < before.size(); ++i) {
      if (stage == 0) bytes[offset + i] = before[i];
      if (stage == 2) bytes[offset + i] = static_cast<uint8_t>(before[i] | prng.Next());
      if (stage == 3) bytes[offset + i] = static_cast<uint8_t>(prng.Next());
    }
  }

  // Made anew each time, since a test may assign `bytes`.
  MemoryBlockDevice Memory() { return {bytes, geometry_}; }

  Geometry geometry_;
  uint32_t busy_left_ = 0;
  bool is_off_ = false;
};

}  // namespace ota::storage
