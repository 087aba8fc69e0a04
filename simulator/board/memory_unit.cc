// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/memory_unit.h"

#include <algorithm>
#include <array>

#include "base/units.h"
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

  storage::ModelStore& store() override { return store_; }

  bool is_blank() override {
    const std::optional<ByteSpan> bytes = models_.Map();
    const uint8_t erased_value = models_.geometry().erased_value;
    return bytes && std::all_of(bytes->begin(), bytes->end(),
                                [&](uint8_t byte) { return byte == erased_value; });
  }

 private:
  std::array<uint8_t, 512> queue_ = {};
  std::array<uint8_t, 512> workspace_ = {};
  OnChipFlash flash_;
  storage::FlashDriver driver_;
  storage::Partition models_;
  storage::RawModelStore store_;
};

}  // namespace

std::unique_ptr<MemoryUnit> MakeMemoryUnit(const BoardTraits& traits,
                                           const std::string& state_directory,
                                           SimulatedClock& clock, PowerSupply& power) {
  if (traits.unit != MemoryUnitKind::kOnChipFlash) return nullptr;
  const OnChipFlashTraits& flash = traits.id == "B1" ? kTeensy40Flash : kStm32H743Flash;
  return std::make_unique<OnChipFlashUnit>(flash, state_directory + "/flash.bin", clock, power);
}

}  // namespace ota::simulator
