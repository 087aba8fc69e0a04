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
    : traits_(traits),
      power_(power),
      path_(path),
      image_(MakeImage(traits, path)),
      state_({.unit_count = traits.size_bytes / traits.unit_bytes, .wear_bytes = 8},
             path.empty() ? path : path + ".state") {
  if (!path.empty()) faults_.LoadFile(path + ".faults", traits.size_bytes, figures_);
}

OverwriteArray::~OverwriteArray() {
  if (!path_.empty()) faults_.SaveFile(path_ + ".faults", figures_);
}

Status OverwriteArray::Write(uint32_t offset, ByteSpan data, Tearing tearing) {
  if (!power_.is_on()) return Status::kMediumFailed;
  const uint32_t unit = offset / traits_.unit_bytes;
  if (state_.AddWear(unit) > traits_.endurance) return Status::kMediumFailed;
  if (const std::optional<BadUnit> bad = faults_.FindBad(unit, unit)) {
    return *bad == BadUnit::kLoud ? Status::kMediumFailed : Status::kOk;
  }
  const uint64_t passed = power_.Pass(data.size());
  if (passed != data.size()) {
    if (tearing == Tearing::kTorn) TearUnit(offset, data, static_cast<uint32_t>(passed));
    return Status::kMediumFailed;
  }
  std::copy(data.begin(), data.end(), image_.bytes().begin() + offset);
  const auto end = offset + static_cast<uint32_t>(data.size());
  faults_.Settle(offset, end);
  figures_.programmed_bytes += data.size();
  return Status::kOk;
}

void OverwriteArray::TearUnit(uint32_t offset, ByteSpan data, uint32_t whole_count) {
  Prng& prng = power_.prng();
  const uint32_t unit = offset / traits_.unit_bytes;
  auto kind = static_cast<Torn>(prng.NextBelow(static_cast<uint32_t>(Torn::kKindCount)));
  if (kind == Torn::kUnreadable && !traits_.may_be_unreadable) kind = Torn::kGarbage;
  if (kind == Torn::kUnreadable) MarkUnreadable(unit);
  for (uint32_t i = 0; i < data.size(); ++i) {
    uint8_t& byte = image_.bytes()[offset + i];
    const auto chance = static_cast<uint8_t>(prng.Next() >> 8);
    const auto changing = static_cast<uint8_t>(byte ^ data[i]);
    if (kind == Torn::kPrefix && i < whole_count) byte = data[i];
    if (kind == Torn::kMixture) byte ^= static_cast<uint8_t>(changing & chance);
    if (kind == Torn::kUnstable) {
      byte = data[i];
      if ((changing & chance) != 0 && prng.NextBelow(4) == 0) {
        faults_.MakeUnstable(offset + i, static_cast<uint8_t>(changing & chance));
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
  std::copy_n(bytes().begin() + offset, target.size(), target.begin());
  figures_.read_bytes += target.size();
  const uint32_t first = offset / traits_.unit_bytes;
  if (traits_.reads_wear && !target.empty()) {
    const auto last = (offset + static_cast<uint32_t>(target.size()) - 1) / traits_.unit_bytes;
    for (uint32_t unit = first; unit <= last; ++unit) state_.AddWear(unit);
  }
  return faults_.Disturb(first * traits_.unit_bytes, offset, target);
}

}  // namespace ota::simulator
