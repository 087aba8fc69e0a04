// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/overwrite_array.h"

#include <algorithm>

namespace ota::simulator {
namespace {

MemoryImage MakeImage(const OverwriteTraits& traits, const std::string& path) {
  return path.empty() ? MemoryImage(traits.size_bytes, traits.erased_value)
                      : MemoryImage(traits.size_bytes, traits.erased_value, path);
}

/// What a cut makes of the unit that is being written; which one happens is chance.
enum class Torn : uint32_t {
  kPrefix,    ///< the bytes up to the cut are new, the others old
  kMixture,   ///< each byte is old, new or of both
  kGarbage,   ///< bytes, of the whole unit if the part is so, hold anything
  kUnstable,  ///< new, but some bits read either way
  kUnreadable,
  kKindCount,
};

}  // namespace

OverwriteArray::OverwriteArray(const OverwriteTraits& traits, PowerSupply& power,
                               const std::string& path)
    : traits_(traits), power_(power), image_(MakeImage(traits, path)) {}

uint32_t OverwriteArray::wear(uint32_t unit) const {
  const auto found = wear_.find(unit);
  return found == wear_.end() ? 0 : found->second;
}

Status OverwriteArray::Write(uint32_t offset, ByteSpan data) {
  if (!power_.is_on()) return Status::kMediumFailed;
  const uint32_t unit = offset / traits_.unit_bytes;
  const uint32_t unit_wear = ++wear_[unit];
  if (unit_wear > traits_.endurance || bad_units_.contains(unit)) return Status::kMediumFailed;
  const uint64_t passed = power_.Pass(data.size());
  if (passed != data.size()) {
    TearUnit(offset, data, static_cast<uint32_t>(passed));
    return Status::kMediumFailed;
  }
  std::copy(data.begin(), data.end(), image_.bytes().begin() + offset);
  unstable_.erase(unstable_.lower_bound(offset),
                  unstable_.lower_bound(offset + static_cast<uint32_t>(data.size())));
  unreadable_units_.erase(unit);
  figures_.programmed_bytes += data.size();
  return Status::kOk;
}

void OverwriteArray::TearUnit(uint32_t offset, ByteSpan data, uint32_t whole_count) {
  Prng& prng = power_.prng();
  const uint32_t unit = offset / traits_.unit_bytes;
  auto kind = static_cast<Torn>(prng.NextBelow(static_cast<uint32_t>(Torn::kKindCount)));
  if (kind == Torn::kUnreadable && !traits_.may_be_unreadable) kind = Torn::kGarbage;
  if (kind == Torn::kUnreadable) unreadable_units_.insert(unit);
  for (uint32_t i = 0; i < data.size(); ++i) {
    uint8_t& byte = image_.bytes()[offset + i];
    const auto chance = static_cast<uint8_t>(prng.Next() >> 8);
    const auto changing = static_cast<uint8_t>(byte ^ data[i]);
    if (kind == Torn::kPrefix && i < whole_count) byte = data[i];
    if (kind == Torn::kMixture) byte ^= static_cast<uint8_t>(changing & chance);
    if (kind == Torn::kUnstable) {
      byte = data[i];
      if ((changing & chance) != 0 && prng.NextBelow(4) == 0) {
        unstable_[offset + i] = static_cast<uint8_t>(changing & chance);
      }
    }
  }
  if (kind != Torn::kGarbage) return;
  const uint32_t first = traits_.tears_whole_unit ? unit * traits_.unit_bytes : offset;
  const uint32_t length =
      traits_.tears_whole_unit ? traits_.unit_bytes : static_cast<uint32_t>(data.size());
  for (uint32_t i = 0; i < length; ++i) {
    if (prng.NextBelow(3) == 0) image_.bytes()[first + i] = static_cast<uint8_t>(prng.Next() >> 8);
  }
}

Status OverwriteArray::Read(uint32_t offset, MutableByteSpan target) {
  if (!power_.is_on()) return Status::kMediumFailed;
  const uint32_t end = offset + static_cast<uint32_t>(target.size());
  std::copy_n(bytes().begin() + offset, target.size(), target.begin());
  figures_.read_bytes += target.size();
  for (auto it = unstable_.lower_bound(offset); it != unstable_.end() && it->first < end; ++it) {
    target[it->first - offset] ^= static_cast<uint8_t>((read_prng_.Next() >> 8) & it->second);
  }
  const auto unreadable = unreadable_units_.lower_bound(offset / traits_.unit_bytes);
  const bool is_readable =
      unreadable == unreadable_units_.end() || *unreadable * traits_.unit_bytes >= end;
  return is_readable ? Status::kOk : Status::kMediumFailed;
}

}  // namespace ota::simulator
