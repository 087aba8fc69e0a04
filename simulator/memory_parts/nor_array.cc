// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/nor_array.h"

#include <algorithm>
#include <fstream>

namespace ota::simulator {
namespace {

constexpr uint8_t kErased = 0xFF;
constexpr uint32_t kUnstableBytesMax = 64;  // of one torn erase

MemoryImage MakeImage(const NorTraits& traits, const std::string& path) {
  return path.empty() ? MemoryImage(traits.size_bytes, kErased)
                      : MemoryImage(traits.size_bytes, kErased, path);
}

/// How a program unit is torn; which one happens is chance.
enum class TornProgram : uint32_t {
  kUntouched,
  kPrefix,    ///< some bytes whole, the others untouched
  kMixture,   ///< any of the intended bits
  kUnstable,  ///< the same, and the others read either way
  kWeak,      ///< all intended bits, some of which read either way
  kKindCount,
};

enum class TornErase : uint32_t {
  kUntouched,
  kPrefix,
  kSuffix,
  kMixture,   ///< any bits of what is to go are gone
  kUnstable,  ///< the same, and some read either way
  kWeak,      ///< all are gone, but some read either way
  kKindCount,
};

}  // namespace

NorArray::NorArray(const NorTraits& traits, PowerSupply& power, const std::string& path)
    : traits_(traits),
      power_(power),
      path_(path),
      image_(MakeImage(traits, path)),
      wear_(traits.size_bytes / traits.erase_unit, 0),
      half_erased_(wear_.size(), false) {
  if (traits.programs_max != 0) programs_.resize(traits.size_bytes / traits.program_unit, 0);
  if (!path.empty()) LoadState();
}

NorArray::~NorArray() {
  if (!path_.empty()) SaveState();
}

// --- program

bool NorArray::IsAllowed(uint32_t offset, ByteSpan data) const {
  for (uint32_t i = 0; i < data.size(); ++i) {
    const uint32_t at = offset + i;
    if (half_erased_[at / traits_.erase_unit] && data[i] != 0) return false;
    if ((data[i] & ~bytes()[at]) != 0) return false;
    if (traits_.programs_max != 0 && programs_[at / traits_.program_unit] >= traits_.programs_max) {
      return false;
    }
  }
  return true;
}

std::optional<BadUnit> NorArray::FindBad(uint32_t offset, uint32_t length) const {
  const auto bad = bad_units_.lower_bound(offset / traits_.erase_unit);
  if (bad == bad_units_.end() || bad->first > (offset + length - 1) / traits_.erase_unit) return {};
  return bad->second;
}

void NorArray::ProgramByte(uint32_t at, uint8_t value) {
  image_.bytes()[at] &= value;
  const auto unstable = unstable_.find(at);
  if (unstable == unstable_.end()) return;
  unstable->second &= value;  // what is programmed is stable
  if (unstable->second == 0) unstable_.erase(unstable);
}

void NorArray::CountPrograms(uint32_t offset, uint32_t length) {
  if (traits_.programs_max == 0) return;
  const uint32_t unit = traits_.program_unit;
  for (uint32_t at = offset / unit; at < (offset + length + unit - 1) / unit; ++at) {
    programs_[at] = static_cast<uint8_t>(programs_[at] + 1);
  }
}

Status NorArray::Program(uint32_t offset, ByteSpan data) {
  if (!power_.is_on()) return Status::kMediumFailed;
  if (data.empty()) return Status::kOk;
  if (!IsAllowed(offset, data)) return Status::kNotErased;
  const auto length = static_cast<uint32_t>(data.size());
  if (const std::optional<BadUnit> bad = FindBad(offset, length)) {
    return *bad == BadUnit::kLoud ? Status::kMediumFailed : Status::kOk;
  }
  const auto passed = static_cast<uint32_t>(power_.Pass(length));
  const uint32_t unit = traits_.program_unit;
  const uint32_t torn_at = std::max(offset, (offset + passed) / unit * unit);
  const uint32_t kept = passed == length ? length : torn_at - offset;
  for (uint32_t i = 0; i < kept; ++i) ProgramByte(offset + i, data[i]);
  CountPrograms(offset, kept);
  figures_.programmed_bytes += kept;
  if (passed == length) return Status::kOk;
  TearUnit(torn_at, data.subspan(kept, std::min(unit - torn_at % unit, length - kept)));
  return Status::kMediumFailed;
}

void NorArray::TearUnit(uint32_t offset, ByteSpan data) {
  Prng& prng = power_.prng();
  const auto kind =
      static_cast<TornProgram>(prng.NextBelow(static_cast<uint32_t>(TornProgram::kKindCount)));
  CountPrograms(offset, static_cast<uint32_t>(data.size()));
  const uint32_t prefix = prng.NextBelow(static_cast<uint32_t>(data.size()) + 1);
  for (uint32_t i = 0; i < data.size(); ++i) {
    const uint32_t at = offset + i;
    const auto going = static_cast<uint8_t>(bytes()[at] & ~data[i]);  // bits that are to become 0
    const auto chance = static_cast<uint8_t>(prng.Next() >> 8);
    const auto weak = static_cast<uint8_t>(going & chance);
    if (kind == TornProgram::kPrefix && i < prefix) ProgramByte(at, data[i]);
    if (kind == TornProgram::kMixture || kind == TornProgram::kUnstable) {
      ProgramByte(at, static_cast<uint8_t>(~weak));
    }
    if (kind == TornProgram::kUnstable) MakeUnstable(at, static_cast<uint8_t>(going & ~weak));
    if (kind == TornProgram::kWeak) {
      ProgramByte(at, data[i]);
      if (prng.NextBelow(4) == 0) MakeUnstable(at, weak);
    }
  }
  if (traits_.has_ecc && kind != TornProgram::kUntouched && prng.NextBelow(2) == 0) {
    SetUncorrectable(offset);
  }
}

// --- erase

Status NorArray::Erase(uint32_t offset, uint32_t length) {
  if (!power_.is_on()) return Status::kMediumFailed;
  if (const std::optional<BadUnit> bad = FindBad(offset, length)) {
    return *bad == BadUnit::kLoud ? Status::kMediumFailed : Status::kOk;
  }
  for (uint32_t at = offset; at < offset + length; at += traits_.erase_unit) {
    const uint32_t unit = at / traits_.erase_unit;
    wear_[unit] += 1;
    if (power_.Pass(PowerSupply::kErasePoints) != PowerSupply::kErasePoints) {
      TearErase(unit);
      return Status::kMediumFailed;
    }
    if (wear_[unit] > traits_.endurance) {  // worn out: from now on it fails, one way or the other
      MarkBad(unit, wear_[unit] % 2 == 0 ? BadUnit::kLoud : BadUnit::kSilent);
      return Status::kMediumFailed;
    }
    EraseUnit(unit);
    figures_.erased_bytes += traits_.erase_unit;
  }
  return Status::kOk;
}

/// Between `first` and `end` everything is as new.
void NorArray::Settle(uint32_t first, uint32_t end) {
  unstable_.erase(unstable_.lower_bound(first), unstable_.lower_bound(end));
  uncorrectable_.erase(uncorrectable_.lower_bound(first), uncorrectable_.lower_bound(end));
}

void NorArray::EraseUnit(uint32_t unit) {
  const uint32_t first = unit * traits_.erase_unit;
  std::fill_n(image_.bytes().begin() + first, traits_.erase_unit, kErased);
  Settle(first, first + traits_.erase_unit);
  half_erased_[unit] = false;
  if (programs_.empty()) return;
  std::fill_n(programs_.begin() + first / traits_.program_unit,
              traits_.erase_unit / traits_.program_unit, uint8_t{0});
}

void NorArray::TearErase(uint32_t unit) {
  Prng& prng = power_.prng();
  const auto kind =
      static_cast<TornErase>(prng.NextBelow(static_cast<uint32_t>(TornErase::kKindCount)));
  const uint32_t first = unit * traits_.erase_unit;
  const uint32_t border = prng.NextBelow(traits_.erase_unit + 1);
  half_erased_[unit] = true;
  for (uint32_t i = 0; i < traits_.erase_unit; ++i) {
    uint8_t& byte = image_.bytes()[first + i];
    const bool is_gone = kind == TornErase::kWeak || (kind == TornErase::kPrefix && i < border) ||
                         (kind == TornErase::kSuffix && i >= border);
    if (is_gone) byte = kErased;
    if (kind == TornErase::kMixture || kind == TornErase::kUnstable) {
      byte = static_cast<uint8_t>(byte | (prng.Next() >> 8));
    }
  }
  if (kind == TornErase::kUnstable || kind == TornErase::kWeak) {
    for (uint32_t i = 0; i < kUnstableBytesMax; ++i) {
      MakeUnstable(first + prng.NextBelow(traits_.erase_unit),
                   static_cast<uint8_t>(1u << prng.NextBelow(8)));
    }
  }
  if (!traits_.has_ecc || kind == TornErase::kUntouched || kind == TornErase::kPrefix ||
      kind == TornErase::kSuffix) {
    return;
  }
  for (uint32_t at = first; at < first + traits_.erase_unit; at += traits_.program_unit) {
    if (prng.NextBelow(2) == 0) SetUncorrectable(at);
  }
}

// --- read and faults

Status NorArray::Read(uint32_t offset, MutableByteSpan target) {
  if (!power_.is_on()) return Status::kMediumFailed;
  const auto end = offset + static_cast<uint32_t>(target.size());
  std::copy_n(bytes().begin() + offset, target.size(), target.begin());
  figures_.read_bytes += target.size();
  for (auto it = unstable_.lower_bound(offset); it != unstable_.end() && it->first < end; ++it) {
    target[it->first - offset] ^= static_cast<uint8_t>((read_prng_.Next() >> 8) & it->second);
  }
  const uint32_t unit_first = offset / traits_.program_unit * traits_.program_unit;
  const auto failure = read_failures_.lower_bound(unit_first);
  if (failure != read_failures_.end() && failure->first < end) {
    if (--failure->second == 0) read_failures_.erase(failure);
    return Status::kMediumFailed;
  }
  const auto uncorrectable = uncorrectable_.lower_bound(unit_first);
  const bool is_readable = uncorrectable == uncorrectable_.end() || *uncorrectable >= end;
  return is_readable ? Status::kOk : Status::kMediumFailed;
}

void NorArray::MakeUnstable(uint32_t at, uint8_t mask) {
  if (mask != 0) unstable_[at] |= mask;
}

void NorArray::SetUncorrectable(uint32_t at) { uncorrectable_.insert(at); }

void NorArray::FlipBit(uint32_t offset, uint8_t bit) {
  image_.bytes()[offset] ^= static_cast<uint8_t>(1u << bit);
}

void NorArray::FailReads(uint32_t offset, uint32_t count) {
  read_failures_[offset / traits_.program_unit * traits_.program_unit] = count;
}

// --- what is kept beside the bytes

void NorArray::LoadState() {
  std::ifstream file(path_ + ".state", std::ios::binary);
  if (!file) return;
  for (uint32_t& wear : wear_) {
    uint8_t bytes[4];
    if (!file.read(reinterpret_cast<char*>(bytes), sizeof(bytes))) return;
    wear = LoadLe32(bytes);
  }
  for (uint32_t unit = 0; unit < unit_count(); ++unit) half_erased_[unit] = file.get() == 1;
  file.read(reinterpret_cast<char*>(programs_.data()),
            static_cast<std::streamsize>(programs_.size()));
}

void NorArray::SaveState() const {
  std::ofstream file(path_ + ".state", std::ios::binary | std::ios::trunc);
  for (const uint32_t wear : wear_) {
    uint8_t bytes[4];
    StoreLe32(bytes, wear);
    file.write(reinterpret_cast<const char*>(bytes), sizeof(bytes));
  }
  for (const bool is_half_erased : half_erased_) file.put(is_half_erased ? 1 : 0);
  file.write(reinterpret_cast<const char*>(programs_.data()),
             static_cast<std::streamsize>(programs_.size()));
}

}  // namespace ota::simulator
