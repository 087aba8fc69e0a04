// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/virtual_board.h"

#include <filesystem>

namespace ota::simulator {
namespace {

constexpr uintptr_t kArenaAlignment = 16;  // what the engine asks for

}  // namespace

VirtualBoard::VirtualBoard(const BoardTraits& traits, const std::string& state_directory)
    : traits_(traits), arena_(traits.arena_bytes() + kArenaAlignment) {
  std::filesystem::create_directories(state_directory);
  unit_ = MakeMemoryUnit(traits, state_directory, clock_, power_);
}

Status VirtualBoard::Boot() {
  OTA_TRY(RunToEnd([&] { return unit_->Start(); }));
  const Status mounted = unit_->Mount();
  if (!IsOk(mounted)) OTA_TRY(mounted == Status::kCorrupted ? MakeStore() : mounted);
  const Status reverted = RunToEnd([&] { return store().Revert(""); });
  return reverted == Status::kNotFound ? Status::kOk : reverted;
}

Status VirtualBoard::MakeStore() {
  if (!unit_->is_blank() && !unit_->HasFilesOnly()) return Status::kCorrupted;
  OTA_TRY(unit_->Format());
  was_formatted_ = true;
  OTA_TRY(adopted_, unit_->AdoptFiles());
  return Status::kOk;
}

MutableByteSpan VirtualBoard::arena() {
  const auto address = reinterpret_cast<uintptr_t>(arena_.data());
  const size_t skipped = (kArenaAlignment - address % kArenaAlignment) % kArenaAlignment;
  return MutableByteSpan(arena_).subspan(skipped, traits_.arena_bytes());
}

}  // namespace ota::simulator
