// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/virtual_board.h"

#include <filesystem>
#include <fstream>

namespace ota::simulator {
namespace {

constexpr uintptr_t kArenaAlignment = 16;  // what the engine asks for
constexpr const char* kSetupMarkName = "setup.mark";

}  // namespace

VirtualBoard::VirtualBoard(const BoardTraits& traits, const std::string& state_directory)
    : traits_(traits),
      setup_mark_(std::filesystem::path(state_directory) / kSetupMarkName),
      arena_(traits.arena_bytes() + kArenaAlignment) {
  std::filesystem::create_directories(state_directory);
  unit_ = MakeMemoryUnit(traits, state_directory, clock_, power_);
}

Status VirtualBoard::Boot() {
  OTA_TRY(RunToEnd([&] { return unit_->Start(); }));
  const Status mounted = is_in_setup() ? Status::kCorrupted : unit_->Mount();
  if (!IsOk(mounted)) OTA_TRY(mounted == Status::kCorrupted ? MakeStore() : mounted);
  const Status reverted = RunToEnd([&] { return store().Revert(""); });
  return reverted == Status::kNotFound ? Status::kOk : reverted;
}

Status VirtualBoard::MakeStore() {
  if (!is_in_setup() && !unit_->is_blank() && !unit_->HasFilesOnly()) return Status::kCorrupted;
  if (!std::ofstream(setup_mark_)) {
    throw std::filesystem::filesystem_error("cannot write", setup_mark_, std::error_code());
  }
  OTA_TRY(unit_->Format());
  was_formatted_ = true;
  OTA_TRY(adopted_, unit_->AdoptFiles());
  std::filesystem::remove(setup_mark_);
  return Status::kOk;
}

void VirtualBoard::ForgetSetup(const std::string& state_directory) {
  std::filesystem::remove(std::filesystem::path(state_directory) / kSetupMarkName);
}

bool VirtualBoard::is_in_setup() const { return std::filesystem::exists(setup_mark_); }

MutableByteSpan VirtualBoard::arena() {
  const auto address = reinterpret_cast<uintptr_t>(arena_.data());
  const size_t skipped = (kArenaAlignment - address % kArenaAlignment) % kArenaAlignment;
  return MutableByteSpan(arena_).subspan(skipped, traits_.arena_bytes());
}

}  // namespace ota::simulator
