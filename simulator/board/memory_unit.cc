// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/memory_unit.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/units.h"
#include "simulator/board/container_unit.h"
#include "simulator/board/file_unit.h"
#include "simulator/board/virtual_board.h"
#include "simulator/memory_parts/i2c_memory_part.h"
#include "simulator/memory_parts/on_chip_flash.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/partition.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::simulator {
namespace {

/// The part of the flash that the firmware lies in, before the models.
constexpr uint32_t kFirmwareBytes = KiB(512);

class OnChipFlashUnit final : public MemoryUnit {
 public:
  OnChipFlashUnit(const OnChipFlashTraits& traits, const std::string& path, SimulatedClock& clock,
                  PowerSupply& power)
      : flash_(traits, clock, power, path),
        driver_(flash_, queue_),
        models_(driver_, kFirmwareBytes, traits.nor.size_bytes - kFirmwareBytes),
        store_(models_, workspace_) {}

  Status Start() override { return Status::kOk; }
  Status Mount() override {
    return RunToEnd([&] { return store_.Mount(); });
  }
  Status Format() override {
    return RunToEnd([&] { return store_.Format(); });
  }
  storage::ModelStore& store() override { return store_; }
  bool is_blank() override {
    return IsBlank(flash_.nor().bytes().subspan(kFirmwareBytes), models_.geometry().erased_value);
  }
  const PartFigures& figures() const override { return flash_.nor().figures(); }

 private:
  std::array<uint8_t, 512> queue_ = {};
  std::array<uint8_t, 512> workspace_ = {};
  OnChipFlash flash_;
  storage::FlashDriver driver_;
  storage::Partition models_;
  storage::RawModelStore store_;

  static_assert(sizeof(queue_) + sizeof(workspace_) + sizeof(driver_) + sizeof(models_) +
                    sizeof(store_) <=
                UnitSramBytes(MemoryUnitKind::kOnChipFlash));
};

}  // namespace

bool IsBlank(ByteSpan bytes, uint8_t erased_value) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [&](uint8_t byte) { return byte == erased_value; });
}

MediumPlace FindMediumPlace(const BoardTraits& traits, const std::string& state_directory) {
  switch (traits.unit) {
    case MemoryUnitKind::kOnChipFlash:
      return {state_directory + "/flash.bin", kFirmwareBytes, traits.flash_bytes - kFirmwareBytes,
              false,
              traits.id == "B1" ? "--fs raw --size 1536K --erase-unit 4K --program-unit 1"
                                : "--fs raw --size 1536K --erase-unit 128K --program-unit 32"};
    case MemoryUnitKind::kSdCard:
      return {state_directory + "/sd.bin", 0, kCardBytes, true, "--fs fat"};
    case MemoryUnitKind::kEeprom:
      return {state_directory + "/eeprom.bin", 0, kTwoAt24Cm02.layout.size_bytes, false,
              "--fs eefs --size 512K --little-endian"};
    case MemoryUnitKind::kSpiNor:
      return {state_directory + "/flash.bin", kSpiffsOffset, kSpiffsBytes, false,
              "--fs spiffs --size 3008K"};
  }
  return {};
}

std::unique_ptr<MemoryUnit> MakeMemoryUnit(const BoardTraits& traits,
                                           const std::string& state_directory,
                                           SimulatedClock& clock, PowerSupply& power) {
  const MediumPlace place = FindMediumPlace(traits, state_directory);
  if (traits.unit == MemoryUnitKind::kSpiNor) return MakeFileUnit(place, clock, power);
  if (traits.unit != MemoryUnitKind::kOnChipFlash) {
    return MakeContainerUnit(traits.unit, place, clock, power);
  }
  const OnChipFlashTraits& flash = traits.id == "B1" ? kTeensy40Flash : kStm32H743Flash;
  return std::make_unique<OnChipFlashUnit>(flash, place.path, clock, power);
}

}  // namespace ota::simulator
