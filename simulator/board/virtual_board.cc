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
  if (unit_ == nullptr) return Status::kNotSupported;
  Status status = RunToEnd([&] { return store().Mount(); });
  if (status == Status::kCorrupted && unit_->is_blank()) {
    status = RunToEnd([&] { return store().Format(); });
    was_formatted_ = true;
  }
  OTA_TRY(status);
  const Status reverted = RunToEnd([&] { return store().Revert(""); });
  return reverted == Status::kNotFound ? Status::kOk : reverted;
}

MutableByteSpan VirtualBoard::arena() {
  const auto address = reinterpret_cast<uintptr_t>(arena_.data());
  const size_t skipped = (kArenaAlignment - address % kArenaAlignment) % kArenaAlignment;
  return MutableByteSpan(arena_).subspan(skipped, traits_.arena_bytes());
}

}  // namespace ota::simulator
