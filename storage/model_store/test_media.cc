// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/test_media.h"

#include <array>
#include <functional>
#include <map>

#include "base/units.h"
#include "simulator/memory_parts/on_chip_flash.h"
#include "storage/block_device/flash_driver.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::storage {
namespace {

using simulator::OnChipFlashTraits;

class FlashStoreWorld final : public StoreWorld {
 public:
  FlashStoreWorld(const OnChipFlashTraits& traits, uint32_t workspace_bytes)
      : flash_(traits, clock_, power_), workspace_(workspace_bytes) {
    Restart();
  }

  simulator::PowerSupply& power() override { return power_; }
  ModelStore& store() override { return *store_; }
  void Restart() override {
    power_.Restore();
    driver_ = std::make_unique<FlashDriver>(flash_, queue_);
    store_ = std::make_unique<RawModelStore>(*driver_, workspace_);
  }
  std::vector<uint32_t> ReadWear() const override {
    std::vector<uint32_t> wear;
    for (uint32_t unit = 0; unit < flash_.nor().unit_count(); ++unit) {
      wear.push_back(flash_.nor().wear(unit));
    }
    return wear;
  }

 private:
  simulator::SimulatedClock clock_;
  simulator::PowerSupply power_;
  simulator::OnChipFlash flash_;
  std::array<uint8_t, 512> queue_;
  std::vector<uint8_t> workspace_;
  std::unique_ptr<FlashDriver> driver_;
  std::unique_ptr<RawModelStore> store_;
};

/// A part with other sizes, so that a run is short.
OnChipFlashTraits Scale(OnChipFlashTraits traits, uint32_t size_bytes, uint32_t erase_unit) {
  traits.nor.size_bytes = size_bytes;
  traits.nor.erase_unit = erase_unit;
  return traits;
}

using Factory = std::function<std::unique_ptr<StoreWorld>()>;

Factory MakeFlash(const OnChipFlashTraits& traits, uint32_t workspace_bytes) {
  return [=] { return std::make_unique<FlashStoreWorld>(traits, workspace_bytes); };
}

const std::map<std::string, Factory>& Factories() {
  using namespace simulator;  // NOLINT: the traits
  static const std::map<std::string, Factory> kFactories = {
      {"nrf52840-64k", MakeFlash(Scale(kNrf52840Flash, KiB(64), KiB(4)), 64)},
      {"samd51-96k", MakeFlash(Scale(kSamd51Flash, KiB(96), KiB(8)), 128)},
      {"stm32h7-small-sectors", MakeFlash(Scale(kStm32H743Flash, KiB(64), KiB(4)), 32)},
      {"stm32h7", MakeFlash(Scale(kStm32H743Flash, KiB(1280), KiB(128)), 256)},
      {"teensy40-64k", MakeFlash(Scale(kTeensy40Flash, KiB(64), KiB(4)), 256)},
      {"teensy40-512k", MakeFlash(Scale(kTeensy40Flash, KiB(512), KiB(4)), 64)},
  };
  return kFactories;
}

}  // namespace

std::vector<std::string> WorldNames() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : Factories()) names.push_back(name);
  return names;
}

std::unique_ptr<StoreWorld> MakeWorld(const std::string& name) {
  const auto factory = Factories().find(name);
  return factory == Factories().end() ? nullptr : factory->second();
}

}  // namespace ota::storage
