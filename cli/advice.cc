// SPDX-License-Identifier: Apache-2.0
#include "cli/advice.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace ota::cli {
namespace {

constexpr double kKiB = 1024;
constexpr double kMiB = 1024 * kKiB;
constexpr double kGiB = 1024 * kMiB;
constexpr double kDaysPerYear = 365.25;

std::string Format(const char* format, double first, double second) {
  char text[160];
  std::snprintf(text, sizeof(text), format, first, second);
  return text;
}

double SumBytes(const Needs& needs) {
  double sum = 0;
  for (const ModelSize& model : needs.models) sum += model.bytes;
  return sum;
}

double LargestBytes(const Needs& needs) {
  double largest = 0;
  for (const ModelSize& model : needs.models) largest = std::max(largest, model.bytes);
  return largest;
}

// Levelled units wear evenly: all their cycles serve. Others wear out where the models lie, of
// which each is rewritten in its turn.
double LifetimeYears(const UnitFacts& unit, double part_count, const Needs& needs) {
  if (needs.updates_per_day <= 0 || needs.models.empty()) {
    return std::numeric_limits<double>::infinity();
  }
  const double count = static_cast<double>(needs.models.size());
  if (!unit.is_levelled) return unit.cycles * count / needs.updates_per_day / kDaysPerYear;
  const double bytes_per_day =
      needs.updates_per_day * SumBytes(needs) / count * unit.write_amplification;
  return unit.cycles * unit.capacity_bytes * part_count / bytes_per_day / kDaysPerYear;
}

std::vector<std::string> FindObjections(const UnitAdvice& advice, const Needs& needs) {
  const UnitFacts& unit = advice.facts;
  std::vector<std::string> objections;
  const double capacity_bytes = unit.capacity_bytes * advice.part_count;
  const bool is_too_small = advice.needed_bytes > capacity_bytes;
  if (is_too_small) {
    objections.push_back(Format("too small: %.0f KiB needed, it has %.0f KiB",
                                std::ceil(advice.needed_bytes / kKiB), capacity_bytes / kKiB));
  }
  if (needs.voltage < unit.voltage_min) {
    objections.push_back(
        Format("needs %.1f V, the board has %.1f V", unit.voltage_min, needs.voltage));
  }
  if (needs.has_vibration && !unit.withstands_vibration) {
    objections.push_back("shakes out of its socket");
  }
  if (needs.budget && advice.price > *needs.budget) {
    objections.push_back(
        Format("costs about %.2f, the budget is %.2f", advice.price, *needs.budget));
  }
  if (!is_too_small && advice.lifetime_years < needs.years) {
    objections.push_back(
        Format("worn out after %.1f years of %.0f", advice.lifetime_years, needs.years));
  }
  return objections;
}

UnitAdvice Judge(UnitFacts unit, const Needs& needs) {
  if (unit.id == UnitId::kOnChipFlash) unit.capacity_bytes = needs.on_chip_bytes;
  UnitAdvice advice;
  advice.needed_bytes = (SumBytes(needs) + LargestBytes(needs)) / unit.usable_share;
  const double wanted_count = std::ceil(advice.needed_bytes / std::max(1.0, unit.capacity_bytes));
  advice.part_count = std::clamp(wanted_count, 1.0, unit.part_count_max);
  advice.price = unit.price * advice.part_count;
  advice.lifetime_years = LifetimeYears(unit, advice.part_count, needs);
  for (const ModelSize& model : needs.models) {
    advice.load_s.push_back(model.bytes / unit.read_bytes_per_s);
  }
  const double volts = std::max(needs.voltage, unit.voltage_min);
  advice.energy_mj = SumBytes(needs) / unit.read_bytes_per_s * unit.read_current_ma * volts;
  advice.facts = unit;
  advice.objections = FindObjections(advice, needs);
  return advice;
}

}  // namespace

std::vector<UnitFacts> DefaultUnits() {
  return {
      {UnitId::kOnChipFlash, "on-chip", "on-chip flash", "model store", kMiB, 1, 0, 40e6, 100e3,
       1e4, true, 1.1, 0.95, 1.7, 5, true,
       "models run in place; the program's own unit, so that writing stalls it on many parts"},
      {UnitId::kSpiNor, "spi-nor", "SPI NOR flash", "model store or SPIFFS", 16 * kMiB, 1, 1, 2.5e6,
       72e3, 1e5, true, 1.3, 0.75, 1.65, 15, true,
       "little RAM, images can be flashed at once; needs room to reclaim space"},
      {UnitId::kEeprom, "eeprom", "I2C EEPROM", "EEFS", 256 * kKiB, 2, 2, 110e3, 20e3, 1e6, false,
       1, 0.98, 1.7, 2, true, "cheap and long-lived, slow; slots are fixed when made"},
      {UnitId::kFram, "fram", "FRAM", "EEFS", kMiB, 1, 15, 2.5e6, 2.5e6, 1e12, false, 1, 0.98, 1.5,
       1, true, "writes at once and hardly wears; dear per byte"},
      {UnitId::kSdCard, "sd", "SD card", "FAT", 32 * kGiB, 1, 5, 1e6, 500e3, 500, true, 20, 0.95,
       2.7, 50, false, "large; may lose all at once, draws up to 100 mA, can be pulled"},
      {UnitId::kEmmc, "emmc", "eMMC", "FAT", 8 * kGiB, 1, 8, 20e6, 10e6, 3000, true, 10, 0.95, 2.7,
       60, true, "as SD but soldered and sturdier"},
  };
}

std::vector<UnitAdvice> Advise(const std::vector<UnitFacts>& units, const Needs& needs) {
  std::vector<UnitAdvice> advice;
  for (const UnitFacts& unit : units) advice.push_back(Judge(unit, needs));
  std::stable_sort(advice.begin(), advice.end(), [](const UnitAdvice& a, const UnitAdvice& b) {
    if (a.is_fit() != b.is_fit()) return a.is_fit();
    if (a.price != b.price) return a.price < b.price;
    return a.energy_mj < b.energy_mj;
  });
  return advice;
}

}  // namespace ota::cli
