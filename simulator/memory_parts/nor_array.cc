// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/nor_array.h"

#include <algorithm>

namespace ota::simulator {
namespace {

constexpr uint8_t kErased = 0xFF;
constexpr uint32_t kUnstableBytesMax = 64;  // of one torn erase

MemoryImage MakeImage(const NorTraits& traits, const std::string& path) {
  return path.empty() ? MemoryImage(traits.size_bytes, kErased)
                      : MemoryImage(traits.size_bytes, kErased, path);
}

PartStateLayout StateOf(const NorTraits& traits) {
  return {
      .unit_count = traits.size_bytes / traits.erase_unit,
      .wear_bytes = 4,
      .has_half_erased = true,
      .program_unit_count = traits.programs_max == 0 ? 0 : traits.size_bytes / traits.program_unit,
      .programs_max = traits.programs_max};
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
      state_(StateOf(traits), path.empty() ? path : path + ".state") {
  if (path.empty()) return;
  faults_.LoadFile(path + ".faults", traits.size_bytes, figures_);
  CountWhatIsThere();
}

/// Bytes that came into the file from outside, as an image that was flashed, count as programmed.
void NorArray::CountWhatIsThere() {
  if (traits_.programs_max == 0) return;
  for (uint32_t unit = 0; unit < traits_.size_bytes / traits_.program_unit; ++unit) {
    const ByteSpan cells = bytes().subspan(unit * traits_.program_unit, traits_.program_unit);
    const bool is_erased =
        std::all_of(cells.begin(), cells.end(), [](uint8_t byte) { return byte == kErased; });
    if (!is_erased && state_.programs(unit) == 0) state_.AddProgram(unit);
  }
}

NorArray::~NorArray() {
  if (!path_.empty()) faults_.SaveFile(path_ + ".faults", figures_);
}

// --- program

bool NorArray::IsAllowed(uint32_t offset, ByteSpan data) const {
  for (uint32_t i = 0; i < data.size(); ++i) {
    const uint32_t at = offset + i;
    if (state_.is_half_erased(at / traits_.erase_unit) && data[i] != 0) return false;
    if ((data[i] & ~bytes()[at]) != 0) return false;
    if (traits_.programs_max != 0 &&
        state_.programs(at / traits_.program_unit) >= traits_.programs_max) {
      return false;
    }
  }
  return true;
}

void NorArray::ProgramByte(uint32_t at, uint8_t value) {
  image_.bytes()[at] &= value;
  faults_.KeepUnstable(at, value);  // what is programmed is stable
}

void NorArray::CountPrograms(uint32_t offset, uint32_t length) {
  if (traits_.programs_max == 0 || length == 0) return;
  const uint32_t unit = traits_.program_unit;
  for (uint32_t at = offset / unit; at < (offset + length + unit - 1) / unit; ++at) {
    state_.AddProgram(at);
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
    if (kind == TornProgram::kUnstable)
      faults_.MakeUnstable(at, static_cast<uint8_t>(going & ~weak));
    if (kind == TornProgram::kWeak) {
      ProgramByte(at, data[i]);
      if (prng.NextBelow(4) == 0) faults_.MakeUnstable(at, weak);
    }
  }
  if (traits_.has_ecc && kind != TornProgram::kUntouched && prng.NextBelow(2) == 0) {
    faults_.MarkUnreadable(UnitStart(offset));
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
    const uint64_t unit_wear = state_.AddWear(unit);
    if (power_.Pass(PowerSupply::kErasePoints) != PowerSupply::kErasePoints) {
      TearErase(unit);
      return Status::kMediumFailed;
    }
    if (unit_wear > traits_.endurance) {  // worn out: from now on it fails, one way or the other
      MarkBad(unit, unit_wear % 2 == 0 ? BadUnit::kLoud : BadUnit::kSilent);
      return Status::kMediumFailed;
    }
    EraseUnit(unit);
    figures_.erased_bytes += traits_.erase_unit;
  }
  return Status::kOk;
}

void NorArray::EraseUnit(uint32_t unit) {
  const uint32_t first = unit * traits_.erase_unit;
  std::fill_n(image_.bytes().begin() + first, traits_.erase_unit, kErased);
  faults_.Settle(first, first + traits_.erase_unit);
  state_.set_half_erased(unit, false);
  if (traits_.programs_max == 0) return;
  state_.ClearPrograms(first / traits_.program_unit, traits_.erase_unit / traits_.program_unit);
}

void NorArray::TearErase(uint32_t unit) {
  Prng& prng = power_.prng();
  const auto kind =
      static_cast<TornErase>(prng.NextBelow(static_cast<uint32_t>(TornErase::kKindCount)));
  const uint32_t first = unit * traits_.erase_unit;
  const uint32_t border = prng.NextBelow(traits_.erase_unit + 1);
  state_.set_half_erased(unit, true);
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
      faults_.MakeUnstable(first + prng.NextBelow(traits_.erase_unit),
                           static_cast<uint8_t>(1u << prng.NextBelow(8)));
    }
  }
  if (!traits_.has_ecc || kind == TornErase::kUntouched || kind == TornErase::kPrefix ||
      kind == TornErase::kSuffix) {
    return;
  }
  for (uint32_t at = first; at < first + traits_.erase_unit; at += traits_.program_unit) {
    if (prng.NextBelow(2) == 0) faults_.MarkUnreadable(at);
  }
}

/// Some of the old zeros are there again, wherever they were.
void NorArray::SpoilErase(uint32_t offset, uint32_t length) {
  Prng& prng = power_.prng();
  for (uint32_t at = offset; at < offset + length; ++at) {
    if (prng.NextBelow(2) == 0) image_.bytes()[at] &= static_cast<uint8_t>(prng.Next() >> 8);
  }
  for (uint32_t at = offset; at < offset + length; at += traits_.erase_unit) {
    TearErase(at / traits_.erase_unit);
  }
}

void NorArray::SpoilProgram(uint32_t offset, uint32_t length) {
  for (uint32_t at = offset; at < offset + length; ++at) {
    const auto chance = static_cast<uint8_t>(power_.prng().Next() >> 8);
    faults_.MakeUnstable(at, static_cast<uint8_t>(~bytes()[at] & chance));
  }
}

// --- read and faults

Status NorArray::Read(uint32_t offset, MutableByteSpan target) {
  if (!power_.is_on()) return Status::kMediumFailed;
  std::copy_n(bytes().begin() + offset, target.size(), target.begin());
  figures_.read_bytes += target.size();
  return faults_.Disturb(UnitStart(offset), offset, target);
}

void NorArray::FlipBit(uint32_t offset, uint8_t bit) {
  image_.bytes()[offset] ^= static_cast<uint8_t>(1u << bit);
}

void NorArray::FailReads(uint32_t offset, uint32_t count) {
  faults_.FailReads(UnitStart(offset), count);
}

}  // namespace ota::simulator
