// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/file_unit.h"

#include <array>
#include <optional>

#include "simulator/board/adoption.h"
#include "simulator/board/virtual_board.h"
#include "simulator/memory_parts/spi_nor_part.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/partition.h"
#include "storage/block_device/read_cache.h"
#include "storage/block_device/spi_nor.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/model_store/file_model_store.h"

namespace ota::simulator {
namespace {

using storage::FileModelStore;

class FileUnit final : public MemoryUnit {
 public:
  FileUnit(const MediumPlace& place, SimulatedClock& clock, PowerSupply& power)
      : place_(place),
        part_(kW25Q32, clock, power, place.path),
        controller_(part_),
        driver_(controller_, queue_) {}

  Status Start() override {
    OTA_TRY(controller_.Start());
    if (!volume_) volume_.emplace(*this);
    return Status::kOk;
  }
  Status Mount() override {
    return RunToEnd([&] { return store().Mount(); });
  }
  Status Format() override {
    return RunToEnd([&] { return store().Format(); });
  }
  storage::ModelStore& store() override { return volume_->store; }

  bool is_blank() override {
    return IsBlank(part_.nor().bytes().subspan(place_.offset, place_.size_bytes),
                   driver_.geometry().erased_value);
  }

  bool HasFilesOnly() override {
    if (!IsOk(volume_->files.Mount())) return false;
    for (const char* const journal : {"models.jr0", "models.jr1"}) {
      if (volume_->files.Open(journal).status() != Status::kNotFound) return false;
    }
    return true;
  }

  Result<std::vector<AdoptedFile>> AdoptFiles() override {
    return simulator::AdoptFiles(volume_->files, store(), place_.size_bytes);
  }

  const PartFigures& figures() const override { return part_.nor().figures(); }

 private:
  static constexpr uint32_t kBufferBytes = 256;
  static constexpr uint32_t kWorkspaceBytes = 512;
  static constexpr size_t kExtentCount =  // one for each erase block of 300 KB
      storage::JournalFiles::kExtentCount + 80 * FileModelStore::kViewCount;
  static constexpr uint32_t kCachePageBytes = 64;
  static constexpr uint32_t kCacheBytes = 32 * kCachePageBytes;

  /// What needs the part's size.
  struct Volume {
    explicit Volume(FileUnit& unit)
        : cache(unit.driver_, unit.pages_, kCachePageBytes),
          models(cache, unit.place_.offset, unit.place_.size_bytes),
          files(models, waiter, unit.buffer_),
          store(files, models, waiter, unit.workspace_, unit.extents_) {}

    storage::ReadCache cache;
    storage::Partition models;
    storage::SpinWaiter waiter;
    storage::SpiffsFileSystem files;
    FileModelStore store;
  };

  MediumPlace place_;
  SpiNorPart part_;
  storage::SpiNorFlash controller_;
  std::array<uint8_t, kBufferBytes> buffer_ = {};
  std::array<uint8_t, kWorkspaceBytes> queue_ = {};
  std::array<uint8_t, kWorkspaceBytes> workspace_ = {};
  std::array<storage::Extent, kExtentCount> extents_ = {};
  std::array<uint8_t, kCacheBytes> pages_ = {};
  storage::FlashDriver driver_;
  std::optional<Volume> volume_;

  static_assert(sizeof(buffer_) + sizeof(queue_) + sizeof(workspace_) + sizeof(extents_) +
                    sizeof(pages_) + sizeof(driver_) + sizeof(Volume) + sizeof(controller_) <=
                UnitSramBytes(MemoryUnitKind::kSpiNor));
};

}  // namespace

std::unique_ptr<MemoryUnit> MakeFileUnit(const MediumPlace& place, SimulatedClock& clock,
                                         PowerSupply& power) {
  return std::make_unique<FileUnit>(place, clock, power);
}

}  // namespace ota::simulator
