// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cli/advice.h"
#include "cli/commands.h"
#include "cli/progress_bar.h"
#include "cli/volume_image.h"

namespace ota::cli {
namespace {

struct AdviseOptions {
  std::vector<std::string> models;
  std::vector<std::string> prices;
  std::optional<double> budget;
  std::string on_chip = "1M";
  Needs needs;
  bool as_json = false;
};

/// A file, or NAME=SIZE for one that is not at hand.
ModelSize ReadModelSize(const std::string& argument) {
  const size_t equals = argument.find('=');
  if (equals == 0) throw CommandError("'" + argument + "' lacks a name; say NAME=SIZE", 2);
  if (equals != std::string::npos) {
    return {argument.substr(0, equals),
            static_cast<double>(ParseSize(argument.substr(equals + 1)))};
  }
  std::error_code error;
  const auto size = std::filesystem::file_size(argument, error);
  if (error) {
    throw CommandError("cannot read the size of " + argument + ": " + error.message() +
                       "; give a file, or NAME=SIZE");
  }
  return {std::filesystem::path(argument).stem().string(), static_cast<double>(size)};
}

/// Of a finite number that is not negative, the only kind that means anything here.
std::optional<double> ParseNumber(const std::string& text) {
  size_t end = 0;
  double number = -1;
  try {
    number = std::stod(text, &end);
  } catch (const std::exception&) {
    return {};
  }
  if (end != text.size() || !std::isfinite(number) || number < 0) return {};
  return number;
}

/// CLI11's own checks let "nan" pass.
CLI::Validator NumberCheck(bool can_be_zero) {
  const auto check = [can_be_zero](const std::string& text) -> std::string {
    const std::optional<double> number = ParseNumber(text);
    if (number && (can_be_zero || *number > 0)) return "";
    return "'" + text + "' is no number " + (can_be_zero ? "of 0 or more" : "above 0");
  };
  return {check, can_be_zero ? "0 or more" : "above 0"};
}

void ReplacePrice(std::vector<UnitFacts>& units, const std::string& argument) {
  const size_t equals = argument.find('=');
  for (UnitFacts& unit : units) {
    if (equals == std::string::npos || argument.substr(0, equals) != unit.option) continue;
    const std::optional<double> price = ParseNumber(argument.substr(equals + 1));
    if (!price) break;
    unit.price = *price;
    return;
  }
  std::string known;
  for (const UnitFacts& unit : units) known += std::string(known.empty() ? "" : ", ") + unit.option;
  throw CommandError("'" + argument + "' is no price; say UNIT=PRICE with a unit of " + known, 2);
}

std::string FormatYears(double years) {
  if (std::isinf(years)) return "-";
  if (years >= 1000) return ">1000";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", years);
  return text;
}

std::string FormatSeconds(double seconds) {
  char text[32];
  if (seconds < 1) {
    std::snprintf(text, sizeof(text), "%.3g ms", seconds * 1000);
  } else {
    std::snprintf(text, sizeof(text), "%.3g s", seconds);
  }
  return text;
}

/// "I2C EEPROM", "2 x I2C EEPROM".
std::string DescribeUnit(const UnitAdvice& unit) {
  const std::string name = unit.facts.name;
  return unit.part_count <= 1 ? name
                              : std::to_string(static_cast<int>(unit.part_count)) + " x " + name;
}

void PrintTable(const std::vector<UnitAdvice>& advice, const Needs& needs) {
  std::printf("%-15s %-22s %9s %9s %7s %9s %9s %6s  %s\n", "unit", "with", "needed", "holds",
              "price", "years", "energy", "V min", "verdict");
  for (const UnitAdvice& unit : advice) {
    std::printf(
        "%-15s %-22s %9s %9s %7.2f %9s %6.3g mJ %6.2f  ", DescribeUnit(unit).c_str(),
        unit.facts.file_system, FormatBytes(static_cast<uint64_t>(unit.needed_bytes)).c_str(),
        FormatBytes(static_cast<uint64_t>(unit.facts.capacity_bytes * unit.part_count)).c_str(),
        unit.price, FormatYears(unit.lifetime_years).c_str(), unit.energy_mj,
        unit.facts.voltage_min);
    if (unit.is_fit()) std::printf("fits");
    for (size_t i = 0; i < unit.objections.size(); ++i) {
      std::printf("%s%s", i == 0 ? "" : "; ", unit.objections[i].c_str());
    }
    std::printf("\n");
  }
  std::printf("\n%-24s", "load time");
  for (const UnitAdvice& unit : advice) std::printf(" %14s", unit.facts.name);
  for (size_t i = 0; i < needs.models.size(); ++i) {
    std::printf("\n%-24s", needs.models[i].name.substr(0, 24).c_str());
    for (const UnitAdvice& unit : advice) {
      std::printf(" %14s", FormatSeconds(unit.load_s[i]).c_str());
    }
  }
  std::printf("\n\n");
}

void PrintJson(const std::vector<UnitAdvice>& advice, const Needs& needs) {
  nlohmann::json list = nlohmann::json::array();
  for (const UnitAdvice& unit : advice) {
    nlohmann::json line = {{"unit", unit.facts.option},
                           {"with", unit.facts.file_system},
                           {"is_fit", unit.is_fit()},
                           {"objections", unit.objections},
                           {"needed_bytes", std::ceil(unit.needed_bytes)},
                           {"holds_bytes", unit.facts.capacity_bytes * unit.part_count},
                           {"part_count", unit.part_count},
                           {"price", unit.price},
                           {"energy_mj", unit.energy_mj}};
    if (!std::isinf(unit.lifetime_years)) line["lifetime_years"] = unit.lifetime_years;
    for (size_t i = 0; i < needs.models.size(); ++i) {
      line["load_s"][needs.models[i].name] = unit.load_s[i];
    }
    list.push_back(line);
  }
  std::printf("%s\n", list.dump(2).c_str());
}

void AdviseUnits(AdviseOptions options) {
  Needs& needs = options.needs;
  std::set<std::string> names;
  for (const std::string& argument : options.models) {
    const ModelSize& model = needs.models.emplace_back(ReadModelSize(argument));
    if (!names.insert(model.name).second) {
      throw CommandError("two models are called '" + model.name + "'; NAME=SIZE tells them apart",
                         2);
    }
  }
  needs.budget = options.budget;
  needs.on_chip_bytes =
      options.on_chip == "0" ? 0 : static_cast<double>(ParseSize(options.on_chip));
  std::vector<UnitFacts> units = DefaultUnits();
  for (const std::string& price : options.prices) ReplacePrice(units, price);
  const std::vector<UnitAdvice> advice = Advise(units, needs);
  if (options.as_json) {
    PrintJson(advice, needs);
  } else {
    PrintTable(advice, needs);
  }
  const UnitAdvice& best = advice.front();
  if (!best.is_fit()) {
    throw CommandError("no memory unit meets all of this; the last column says why not");
  }
  if (options.as_json) return;
  std::printf("Use %s with %s: %s.\n", DescribeUnit(best).c_str(), best.facts.file_system,
              best.facts.note);
  std::printf(
      "Speeds and endurance are typical, prices an order of magnitude: --price replaces "
      "them.\n");
}

}  // namespace

void AddAdviseCommand(CLI::App& app) {
  auto options = std::make_shared<AdviseOptions>();
  CLI::App* const command =
      app.add_subcommand("advise", "Recommend the memory unit for a set of models");
  command->add_option("--models", options->models, "Files, or NAME=SIZE such as kws=54K")
      ->required();
  command->add_option("--budget", options->budget, "Most that the unit may cost")
      ->check(NumberCheck(true));
  command->add_option("--price", options->prices, "UNIT=PRICE, to replace what is assumed");
  command->add_flag("--vibration", options->needs.has_vibration, "The device is shaken");
  command->add_option("--voltage", options->needs.voltage, "Supply of the board, in volts")
      ->capture_default_str()
      ->check(NumberCheck(false));
  command
      ->add_option("--writes-per-day", options->needs.updates_per_day,
                   "Model updates per day, of one model after the other")
      ->check(NumberCheck(true));
  command->add_option("--years", options->needs.years, "How long it has to last")
      ->capture_default_str()
      ->check(NumberCheck(false));
  command->add_option("--on-chip", options->on_chip, "Flash that the program leaves; 0: none")
      ->capture_default_str();
  command->add_flag("--json", options->as_json, "For programs");
  command->callback([options] { AdviseUnits(*options); });
}

}  // namespace ota::cli
