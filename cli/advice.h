// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Which memory unit to keep models on, by the guidelines of the article that this project follows:
// cost, space, speed, energy, endurance and reliability.

namespace ota::cli {

enum class UnitId : uint8_t { kOnChipFlash, kSpiNor, kEeprom, kFram, kSdCard, kEmmc };

/// What is known of a kind of unit. Speeds and endurance are typical values of data sheets; prices
/// are the order of magnitude of a single part, and meant to be replaced by one's own.
struct UnitFacts {
  UnitId id;
  const char* option;  ///< as in --price spi-nor=0.8
  const char* name;
  const char* file_system;  ///< what it is used with here
  double capacity_bytes;    ///< of the largest usual part
  double part_count_max;    ///< as many of these can be put on one bus
  double price;             ///< of one part
  double read_bytes_per_s;
  double write_bytes_per_s;  ///< erase included
  double cycles;             ///< rewrites of one place
  bool is_levelled;          ///< whether rewrites are spread over the whole unit
  double write_amplification;
  double usable_share;  ///< of the capacity, for files
  double voltage_min;
  double read_current_ma;
  bool withstands_vibration;
  const char* note;
};

struct ModelSize {
  std::string name;
  double bytes;
};

struct Needs {
  std::vector<ModelSize> models;
  std::optional<double> budget;
  bool has_vibration = false;
  double voltage = 3.3;
  double updates_per_day = 0;  ///< of one model after the other
  double years = 10;
  double on_chip_bytes = 1024 * 1024;  ///< flash that the program leaves
};

struct UnitAdvice {
  UnitFacts facts;
  double needed_bytes = 0;  ///< of the unit, for all models and one more in staging
  double part_count = 1;
  double price = 0;                     ///< of all parts
  double lifetime_years = 0;            ///< infinite without updates
  double energy_mj = 0;                 ///< to read all models once
  std::vector<double> load_s;           ///< per model
  std::vector<std::string> objections;  ///< empty: it can be used

  bool is_fit() const { return objections.empty(); }
};

/// The facts of all units, cheapest to judge first.
std::vector<UnitFacts> DefaultUnits();

/// Judges each unit; those that fit come first, the cheapest, then the one that needs least energy
/// to load, first among them.
std::vector<UnitAdvice> Advise(const std::vector<UnitFacts>& units, const Needs& needs);

}  // namespace ota::cli
