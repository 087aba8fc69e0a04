// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "simulator/board/board_table.h"
#include "simulator/memory_parts/power_supply.h"
#include "simulator/memory_parts/simulated_clock.h"
#include "storage/model_store/model_store.h"

namespace ota::simulator {

/// A board's memory unit with all that makes it a model store: part, driver, partition or file
/// system, store. The part's bytes live in a file.
class MemoryUnit {
 public:
  virtual ~MemoryUnit() = default;
  virtual storage::ModelStore& store() = 0;
  /// Whether nothing was ever written where the store lies.
  virtual bool is_blank() = 0;
};

/// The unit of `traits`, with its bytes under `state_directory`; null: this kind cannot be booted
/// by this build. `clock` and `power` must outlive it. Throws std::system_error with the path.
std::unique_ptr<MemoryUnit> MakeMemoryUnit(const BoardTraits& traits,
                                           const std::string& state_directory,
                                           SimulatedClock& clock, PowerSupply& power);

}  // namespace ota::simulator
