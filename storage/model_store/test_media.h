// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulator/memory_parts/part_figures.h"
#include "simulator/memory_parts/power_supply.h"
#include "simulator/memory_parts/simulated_clock.h"
#include "storage/block_device/block_device.h"
#include "storage/model_store/model_store.h"

// The media that the power-cut harness goes over: a simulated part, its driver and a store on it.

namespace ota::storage {

/// A store on a simulated part that survives restarts.
class StoreWorld {
 public:
  virtual ~StoreWorld() = default;

  virtual simulator::PowerSupply& power() = 0;

  /// The store as of the last Restart.
  virtual ModelStore& store() = 0;

  /// What time has passed and what the part did, by its own account; for parts without a bus, none.
  virtual simulator::SimulatedClock& clock() = 0;
  virtual simulator::PartFigures figures() const = 0;

  /// What the store is on, as of the last Restart.
  virtual BlockDevice& device() = 0;

  /// Power comes back: RAM is empty, the medium is as it was left. The store is not mounted.
  virtual void Restart() = 0;

  /// On a file system: writes a file that is none of the store's, after Format.
  virtual void AddForeignFile() {}

  /// On a file system, after the first change since Mount: what is wrong with the volume, or "".
  virtual std::string FindFault() { return ""; }

  /// Keeps images encrypted from now on; to be called before Format.
  virtual void Encrypt() = 0;
  virtual bool is_encrypted() const = 0;

  /// Gives the journal of a raw store that many segments; to be called before Format.
  virtual void UseSegments(uint32_t count) = 0;

  /// The bytes as they lie on the medium.
  virtual ByteSpan medium() const = 0;

  /// Whether it is a RawModelStore: a journal, and slots behind it.
  virtual bool has_raw_store() const { return true; }

  /// How often unit `unit` of the medium was erased or written; empty if the part does not count.
  virtual std::vector<uint32_t> ReadWear() const = 0;

  /// How often the part was asked for what its data sheet forbids.
  virtual uint32_t violation_count() const = 0;
};

/// Whether the medium shows the first bytes of `model` as they are.
bool HasPlainBytes(const StoreWorld& world, const std::vector<uint8_t>& model);

/// The names of all worlds, as used in replay lines.
std::vector<std::string> WorldNames();

/// The names of worlds with parts of the size that boards have, for benchmarks.
std::vector<std::string> FullSizeWorldNames();

/// A fresh world of that name; nullptr if there is none.
std::unique_ptr<StoreWorld> MakeWorld(const std::string& name);

}  // namespace ota::storage
