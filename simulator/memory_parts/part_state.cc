// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/part_state.h"

#include <algorithm>
#include <filesystem>

namespace ota::simulator {
namespace {

uint64_t LoadWear(const PartStateLayout& layout, ByteSpan state, uint32_t unit) {
  const uint8_t* const at = &state[size_t{layout.wear_bytes} * unit];
  return layout.wear_bytes == 8 ? LoadLe64(at) : LoadLe32(at);
}

std::string TellByte(size_t at, const std::string& what) {
  return "byte " + std::to_string(at) + ": " + what;
}

void VerifyFile(const PartStateLayout& layout, const std::string& path) {
  std::error_code error;
  const uintmax_t size_bytes = std::filesystem::file_size(path, error);
  if (error || size_bytes == 0) return;  // a new one, or MemoryImage tells why it cannot be had
  std::optional<std::string> damage;
  if (size_bytes == layout.size_bytes()) {
    const MemoryImage image(layout.size_bytes(), 0, path);
    damage = FindStateDamage(layout, image.bytes());
  } else {
    damage = std::to_string(size_bytes) + " bytes long, where this part leaves " +
             std::to_string(layout.size_bytes());
  }
  if (!damage) return;
  throw PartFileError(path + ": " + *damage +
                      ": it is damaged or another part's; remove it, and the wear of the part "
                      "counts from 0");
}

MemoryImage MakeImage(const PartStateLayout& layout, const std::string& path) {
  if (path.empty()) return MemoryImage(layout.size_bytes(), 0);
  VerifyFile(layout, path);
  return MemoryImage(layout.size_bytes(), 0, path);
}

}  // namespace

std::optional<std::string> FindStateDamage(const PartStateLayout& layout, ByteSpan state) {
  if (state.size() != layout.size_bytes()) return "it has another length than this part's";
  for (uint32_t unit = 0; unit < layout.unit_count; ++unit) {
    const uint64_t wear = LoadWear(layout, state, unit);
    if (wear > layout.wear_max()) {
      return TellByte(size_t{layout.wear_bytes} * unit,
                      "a wear of " + std::to_string(wear) + ", which no part lives to see");
    }
  }
  for (uint32_t at = layout.marks_offset(); at < layout.programs_offset(); ++at) {
    if (state[at] > 1) return TellByte(at, "a mark that is neither 0 nor 1");
  }
  for (uint32_t at = layout.programs_offset(); at < layout.size_bytes(); ++at) {
    if (state[at] <= layout.programs_max) continue;
    return TellByte(at, std::to_string(state[at]) + " programs between two erases, of at most " +
                            std::to_string(layout.programs_max));
  }
  return std::nullopt;
}

PartState::PartState(const PartStateLayout& layout, const std::string& path)
    : layout_(layout), image_(MakeImage(layout, path)) {}

uint64_t PartState::wear(uint32_t unit) const { return LoadWear(layout_, image_.bytes(), unit); }

uint64_t PartState::AddWear(uint32_t unit) {
  const uint64_t more = std::min(wear(unit) + 1, layout_.wear_max());
  uint8_t* const at = &image_.bytes()[size_t{layout_.wear_bytes} * unit];
  if (layout_.wear_bytes == 8) StoreLe64(at, more);
  if (layout_.wear_bytes == 4) StoreLe32(at, static_cast<uint32_t>(more));
  return more;
}

void PartState::ClearPrograms(uint32_t first, uint32_t count) {
  const MutableByteSpan programs = image_.bytes().subspan(layout_.programs_offset() + first, count);
  std::fill(programs.begin(), programs.end(), uint8_t{0});
}

}  // namespace ota::simulator
