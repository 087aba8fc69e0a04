// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "simulator/board/board_table.h"
#include "simulator/board/memory_unit.h"

namespace ota::simulator {

/// A virtual board: the device library's store on a simulated memory unit that persists in a
/// directory, and an arena of as many bytes as the board's SRAM leaves.
class VirtualBoard {
 public:
  /// Makes `state_directory` if it is not there. Throws std::system_error when it or the files in
  /// it cannot be had, PartFileError when one of these is damaged.
  VirtualBoard(const BoardTraits& traits, const std::string& state_directory);

  /// Starts the board: mounts the store, or makes one on a unit that is blank, or that holds files
  /// that others have put there, whose models it takes; a trial that the last run did not confirm
  /// is reverted. The file setup.mark, for a word of the microcontroller's own flash, stands while
  /// a store is made: what a power cut left half made is made anew at the next Boot.
  /// kCorrupted: what lies on the unit is neither of these; nothing was changed. Others as
  /// ModelStore::Mount and Format.
  Status Boot();

  /// To be called when another medium is put into the directory of a board that is not running: the
  /// store on it is not one that this board left half made.
  static void ForgetSetup(const std::string& state_directory);

  const BoardTraits& traits() const { return traits_; }
  /// Only after a successful Boot.
  storage::ModelStore& store() { return unit_->store(); }
  MutableByteSpan arena();
  PowerSupply& power() { return power_; }
  bool was_formatted() const { return was_formatted_; }
  /// The files that Boot found on a medium that others have made.
  const std::vector<AdoptedFile>& adopted() const { return adopted_; }

  /// What the memory unit has done and used since it was new.
  const PartFigures& figures() const { return unit_->figures(); }
  /// Time that the memory unit took, in this run.
  const SimulatedClock& medium_clock() const { return clock_; }

 private:
  Status MakeStore();
  bool is_in_setup() const;

  const BoardTraits& traits_;
  std::filesystem::path setup_mark_;
  SimulatedClock clock_;
  PowerSupply power_;
  std::unique_ptr<MemoryUnit> unit_;
  std::vector<uint8_t> arena_;
  bool was_formatted_ = false;
  std::vector<AdoptedFile> adopted_;
};

/// Asks `function` again and again until its answer, a Status or a Result, is not kBusy. For code
/// on a host that has nothing else to do; a memory unit's simulated time goes on by itself.
template <typename Function>
auto RunToEnd(Function function) {
  auto answer = function();
  while (ota::internal::StatusOf(answer) == Status::kBusy) answer = function();
  return answer;
}

}  // namespace ota::simulator
