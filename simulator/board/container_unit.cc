// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/container_unit.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/units.h"
#include "simulator/board/adoption.h"
#include "simulator/board/virtual_board.h"
#include "simulator/memory_parts/i2c_memory_part.h"
#include "simulator/memory_parts/sd_card_part.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/i2c_eeprom.h"
#include "storage/block_device/partition.h"
#include "storage/block_device/read_cache.h"
#include "storage/block_device/sd_card.h"
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/model_store/container.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::simulator {
namespace {

using storage::BlockDevice;
using storage::ContainerPlace;
using storage::RawModelStore;
using storage::Waiter;

/// A board with SD. Partition table, tables of clusters and root directory lie at the start.
struct SdWithFat {
  using Files = storage::FatFileSystem;
  static constexpr MemoryUnitKind kKind = MemoryUnitKind::kSdCard;
  static constexpr uint32_t kBufferBytes = storage::kFatSectorBytesMin;
  static constexpr uint32_t kWorkspaceBytes = 2048;
  static constexpr uint32_t kCachePageBytes = 512;
  static constexpr uint32_t kCacheBytes = 8 * kCachePageBytes;
  static constexpr uint32_t kSearchedBytes = MiB(4);

  SdWithFat(const MediumPlace& place, SimulatedClock& clock, PowerSupply& power)
      : part(kSdhc2G, clock, power, place.path, place.size_bytes), controller(part) {}
  Status Start() { return controller.Start(); }
  OverwriteArray& cells() { return part.array(); }
  const OverwriteArray& cells() const { return part.array(); }
  Files MakeFiles(BlockDevice& device, Waiter& waiter) { return {device, waiter, buffer}; }

  SdCardPart part;
  storage::SdCard controller;
  std::array<uint8_t, kBufferBytes> buffer = {};
};

struct EepromWithEefs {
  using Files = storage::EefsFileSystem;
  static constexpr MemoryUnitKind kKind = MemoryUnitKind::kEeprom;
  static constexpr uint32_t kBufferBytes = 0;
  static constexpr uint32_t kWorkspaceBytes = 512;
  static constexpr uint32_t kCachePageBytes = 64;
  static constexpr uint32_t kCacheBytes = 32 * kCachePageBytes;
  static constexpr uint32_t kSearchedBytes = UINT32_MAX;

  EepromWithEefs(const MediumPlace& place, SimulatedClock& clock, PowerSupply& power)
      : part(kTwoAt24Cm02, clock, power, place.path), controller(part, part.layout()) {}
  static Status Start() { return Status::kOk; }
  OverwriteArray& cells() { return part.array(); }
  const OverwriteArray& cells() const { return part.array(); }
  static Files MakeFiles(BlockDevice& device, Waiter& waiter) {
    return {device, waiter, {.byte_order = storage::EefsOptions::ByteOrder::kLittle}};
  }

  I2cMemoryPart part;
  storage::I2cEeprom controller;
};

template <typename Hardware>
class ContainerUnit final : public MemoryUnit {
 public:
  using Files = typename Hardware::Files;

  ContainerUnit(const MediumPlace& place, SimulatedClock& clock, PowerSupply& power)
      : size_bytes_(place.size_bytes),
        hardware_(place, clock, power),
        driver_(hardware_.controller, queue_) {}

  Status Start() override {
    OTA_TRY(hardware_.Start());
    if (!volume_) volume_.emplace(*this);
    return Status::kOk;
  }

  Status Mount() override {
    OTA_TRY(volume_->files.Mount());
    const Result<ContainerPlace> place =
        storage::FindContainer(volume_->files, volume_->cache.geometry());
    if (place.status() == Status::kNotFound) return Status::kCorrupted;  // no store either
    OTA_TRY(place.status());
    models_.emplace(*this, *place);
    return RunToEnd([&] { return store().Mount(); });
  }

  Status Format() override {
    if (!IsOk(volume_->files.Mount())) OTA_TRY(volume_->files.Format());
    OTA_TRY(const ContainerPlace place,
            storage::MakeContainer(volume_->files, volume_->cache.geometry()));
    models_.emplace(*this, place);
    return RunToEnd([&] { return store().Format(); });
  }

  storage::ModelStore& store() override { return models_->store; }

  bool is_blank() override {
    const ByteSpan bytes = hardware_.cells().bytes();
    return IsBlank(bytes.first(std::min<size_t>(bytes.size(), Hardware::kSearchedBytes)),
                   driver_.geometry().erased_value);
  }

  /// A container without a store in it is one whose making was cut short.
  bool HasFilesOnly() override {
    if (!IsOk(volume_->files.Mount())) return false;
    const Status found = storage::FindContainer(volume_->files, volume_->cache.geometry()).status();
    return IsOk(found) || found == Status::kNotFound;
  }

  Result<std::vector<AdoptedFile>> AdoptFiles() override {
    return simulator::AdoptFiles(volume_->files, store(), size_bytes_);
  }

  const PartFigures& figures() const override { return hardware_.cells().figures(); }

 private:
  /// What needs the part's size.
  struct Volume {
    explicit Volume(ContainerUnit& unit)
        : cache(unit.driver_, unit.pages_, Hardware::kCachePageBytes),
          files(unit.hardware_.MakeFiles(cache, waiter)) {}

    storage::ReadCache cache;
    storage::SpinWaiter waiter;
    Files files;
  };

  /// What needs the container.
  struct Models {
    Models(ContainerUnit& unit, const ContainerPlace& place)
        : partition(unit.volume_->cache, place.offset, place.size_bytes),
          store(partition, unit.workspace_) {}

    storage::Partition partition;
    RawModelStore store;
  };

  uint32_t size_bytes_;
  Hardware hardware_;
  std::array<uint8_t, Hardware::kWorkspaceBytes> queue_ = {};
  std::array<uint8_t, Hardware::kWorkspaceBytes> workspace_ = {};
  std::array<uint8_t, Hardware::kCacheBytes> pages_ = {};
  storage::FlashDriver driver_;
  std::optional<Volume> volume_;
  std::optional<Models> models_;

  static_assert(sizeof(queue_) + sizeof(workspace_) + sizeof(pages_) + sizeof(driver_) +
                    sizeof(Volume) + sizeof(Models) + sizeof(Hardware::controller) +
                    Hardware::kBufferBytes <=
                UnitSramBytes(Hardware::kKind));
};

}  // namespace

std::unique_ptr<MemoryUnit> MakeContainerUnit(MemoryUnitKind kind, const MediumPlace& place,
                                              SimulatedClock& clock, PowerSupply& power) {
  if (kind == MemoryUnitKind::kSdCard) {
    return std::make_unique<ContainerUnit<SdWithFat>>(place, clock, power);
  }
  return std::make_unique<ContainerUnit<EepromWithEefs>>(place, clock, power);
}

}  // namespace ota::simulator
