// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/test_media.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "base/units.h"
#include "simulator/memory_parts/emmc_part.h"
#include "simulator/memory_parts/i2c_memory_part.h"
#include "simulator/memory_parts/on_chip_flash.h"
#include "simulator/memory_parts/sd_card_part.h"
#include "simulator/memory_parts/spi_fram_part.h"
#include "simulator/memory_parts/spi_nor_part.h"
#include "storage/block_device/emmc.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/i2c_eeprom.h"
#include "storage/block_device/partition.h"
#include "storage/block_device/sd_card.h"
#include "storage/block_device/spi_fram.h"
#include "storage/block_device/spi_nor.h"
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/model_store/container.h"
#include "storage/model_store/file_model_store.h"
#include "storage/model_store/image_cipher.h"
#include "storage/model_store/raw_model_store.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

using simulator::OnChipFlashTraits;

template <typename Array>
std::vector<uint32_t> ReadArrayWear(const Array& array) {
  std::vector<uint32_t> wear;
  for (uint32_t unit = 0; unit < array.unit_count(); ++unit)
    wear.push_back(static_cast<uint32_t>(array.wear(unit)));
  return wear;
}

template <typename Controller>
FlashController& StartController(Controller& controller) {
  // A part that does not come up shows in the first Mount.
  (void)RunToEnd([&] { return controller.Start(); });
  return controller;
}

class OnChipPart {
 public:
  OnChipPart(simulator::SimulatedClock& clock, simulator::PowerSupply& power,
             const OnChipFlashTraits& traits)
      : flash_(traits, clock, power) {}

  FlashController& Restart() { return flash_; }
  std::vector<uint32_t> ReadWear() const { return ReadArrayWear(flash_.nor()); }
  ByteSpan bytes() const { return flash_.nor().bytes(); }
  simulator::PartFigures figures() const { return flash_.nor().figures(); }
  static uint32_t violation_count() { return 0; }

 private:
  simulator::OnChipFlash flash_;
};

class SpiNor {
 public:
  SpiNor(simulator::SimulatedClock& clock, simulator::PowerSupply& power,
         const simulator::SpiNorTraits& traits, uint32_t size_bytes)
      : part_(traits, clock, power, "", size_bytes) {}

  FlashController& Restart() {
    part_.Reset();
    flash_ = std::make_unique<SpiNorFlash>(part_);
    return StartController(*flash_);
  }
  std::vector<uint32_t> ReadWear() const { return ReadArrayWear(part_.nor()); }
  ByteSpan bytes() const { return part_.nor().bytes(); }
  simulator::PartFigures figures() const { return part_.nor().figures(); }
  uint32_t violation_count() const { return part_.violation_count(); }

 private:
  simulator::SpiNorPart part_;
  std::unique_ptr<SpiNorFlash> flash_;
};

class I2cMemory {
 public:
  I2cMemory(simulator::SimulatedClock& clock, simulator::PowerSupply& power,
            const simulator::I2cMemoryTraits& traits, uint32_t size_bytes)
      : part_(traits, clock, power, "", size_bytes) {}

  FlashController& Restart() {
    eeprom_ = std::make_unique<I2cEeprom>(part_, part_.layout());
    return *eeprom_;
  }
  std::vector<uint32_t> ReadWear() const { return ReadArrayWear(part_.array()); }
  ByteSpan bytes() const { return part_.array().bytes(); }
  simulator::PartFigures figures() const { return part_.array().figures(); }
  static uint32_t violation_count() { return 0; }

 private:
  simulator::I2cMemoryPart part_;
  std::unique_ptr<I2cEeprom> eeprom_;
};

class SpiFramMemory {
 public:
  SpiFramMemory(simulator::SimulatedClock& clock, simulator::PowerSupply& power,
                const simulator::SpiFramTraits& traits, uint32_t size_bytes)
      : part_(traits, clock, power, "", size_bytes) {}

  FlashController& Restart() {
    part_.Reset();
    fram_ = std::make_unique<SpiFram>(part_);
    return StartController(*fram_);
  }
  std::vector<uint32_t> ReadWear() const { return ReadArrayWear(part_.array()); }
  ByteSpan bytes() const { return part_.array().bytes(); }
  simulator::PartFigures figures() const { return part_.array().figures(); }
  uint32_t violation_count() const { return part_.violation_count(); }

 private:
  simulator::SpiFramPart part_;
  std::unique_ptr<SpiFram> fram_;
};

class Sd {
 public:
  Sd(simulator::SimulatedClock& clock, simulator::PowerSupply& power,
     const simulator::SdCardTraits& traits, uint32_t size_bytes)
      : part_(traits, clock, power, "", size_bytes) {}

  FlashController& Restart() {
    part_.Reset();
    card_ = std::make_unique<SdCard>(part_);
    return StartController(*card_);
  }
  std::vector<uint32_t> ReadWear() const { return ReadArrayWear(part_.array()); }
  ByteSpan bytes() const { return part_.array().bytes(); }
  simulator::PartFigures figures() const { return part_.array().figures(); }
  static uint32_t violation_count() { return 0; }

 private:
  simulator::SdCardPart part_;
  std::unique_ptr<SdCard> card_;
};

class Mmc {
 public:
  Mmc(simulator::SimulatedClock& clock, simulator::PowerSupply& power,
      const simulator::EmmcTraits& traits, uint32_t size_bytes)
      : part_(traits, clock, power, "", size_bytes) {}

  FlashController& Restart() {
    part_.Reset();
    emmc_ = std::make_unique<Emmc>(part_);
    return StartController(*emmc_);
  }
  std::vector<uint32_t> ReadWear() const { return ReadArrayWear(part_.array()); }
  ByteSpan bytes() const { return part_.array().bytes(); }
  simulator::PartFigures figures() const { return part_.array().figures(); }
  static uint32_t violation_count() { return 0; }

 private:
  simulator::EmmcPart part_;
  std::unique_ptr<Emmc> emmc_;
};

/// Cells that are overwritten freely, without a bus: sectors, pages or rows, each of which a cut
/// leaves as BlockDevice says.
class OverwriteDevice final : public BlockDevice {
 public:
  OverwriteDevice(simulator::PowerSupply& power, uint32_t size_bytes, uint32_t unit)
      : array_({.size_bytes = size_bytes, .unit_bytes = unit, .may_be_unreadable = true}, power),
        geometry_{size_bytes, unit, unit, unit, 0, true, false} {}

  const Geometry& geometry() const override { return geometry_; }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    OTA_TRY(CheckRange(geometry_, geometry_.read_unit, offset, target.size()));
    return array_.Read(offset, target);
  }
  Status Program(uint32_t offset, ByteSpan data) override {
    OTA_TRY(CheckRange(geometry_, geometry_.program_unit, offset, data.size()));
    for (; !data.empty(); data = data.subspan(geometry_.program_unit)) {
      OTA_TRY(array_.Write(offset, data.first(geometry_.program_unit)));
      offset += geometry_.program_unit;
    }
    return Status::kOk;
  }
  Status Erase(uint32_t offset, uint32_t length) override {
    return Program(offset, std::vector<uint8_t>(length, geometry_.erased_value));
  }
  Status Sync() override { return array_.power().is_on() ? Status::kOk : Status::kMediumFailed; }

  simulator::PartFigures figures() const { return array_.figures(); }
  std::vector<uint32_t> ReadWear() const { return ReadArrayWear(array_); }
  ByteSpan bytes() const { return array_.bytes(); }
  static uint32_t violation_count() { return 0; }

 private:
  simulator::OverwriteArray array_;
  Geometry geometry_;
};

/// A part behind its driver, as a block device that survives restarts.
template <typename Part>
class PartMedium {
 public:
  template <typename... Arguments>
  explicit PartMedium(simulator::PowerSupply& power, const Arguments&... arguments)
      : part_(clock_, power, arguments...) {}

  BlockDevice& Restart() {
    driver_ = std::make_unique<FlashDriver>(part_.Restart(), queue_);
    return *driver_;
  }
  BlockDevice& device() { return *driver_; }
  simulator::SimulatedClock& clock() { return clock_; }
  Part& part() { return part_; }
  const Part& part() const { return part_; }

 private:
  simulator::SimulatedClock clock_;
  Part part_;
  std::array<uint8_t, 512> queue_;
  std::unique_ptr<FlashDriver> driver_;
};

/// What all worlds share.
template <typename Medium>
class MediumWorld : public StoreWorld {
 public:
  simulator::PowerSupply& power() override { return power_; }
  simulator::SimulatedClock& clock() override { return medium_.clock(); }
  BlockDevice& device() override { return medium_.device(); }
  simulator::PartFigures figures() const override { return medium_.part().figures(); }
  std::vector<uint32_t> ReadWear() const override { return medium_.part().ReadWear(); }
  uint32_t violation_count() const override { return medium_.part().violation_count(); }
  ByteSpan medium() const override { return medium_.part().bytes(); }
  bool is_encrypted() const override { return is_encrypted_; }
  void Encrypt() override {
    is_encrypted_ = true;
    this->Restart();
  }
  void UseSegments(uint32_t count) override {
    segment_count_ = count;
    this->Restart();
  }

 protected:
  template <typename... Arguments>
  explicit MediumWorld(const Arguments&... arguments) : medium_(power_, arguments...) {}

  /// A cipher that knows no more than the key.
  void Protect(JournaledStore& store) {
    if (is_encrypted_) store.UseCipher(cipher_.emplace(kKey));
  }

  simulator::PowerSupply power_;
  Medium medium_;
  uint32_t segment_count_ = 0;

 private:
  static constexpr crypto::AesKey kKey = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233};

  bool is_encrypted_ = false;
  std::optional<AesImageCipher> cipher_;
};

/// A store on a raw device. `Part` is the simulated part with its controller.
template <typename Part>
class RawStoreWorld final : public MediumWorld<PartMedium<Part>> {
 public:
  template <typename... Arguments>
  explicit RawStoreWorld(uint32_t workspace_bytes, const Arguments&... arguments)
      : MediumWorld<PartMedium<Part>>(arguments...), workspace_(workspace_bytes) {
    Restart();
  }

  ModelStore& store() override { return *store_; }
  void Restart() override {
    this->power_.Restore();
    store_ =
        std::make_unique<RawModelStore>(this->medium_.Restart(), workspace_, this->segment_count_);
    this->Protect(*store_);
  }

 private:
  std::vector<uint8_t> workspace_;
  std::unique_ptr<RawModelStore> store_;
};

class OverwriteMedium {
 public:
  OverwriteMedium(simulator::PowerSupply& power, uint32_t size_bytes, uint32_t unit)
      : device_(power, size_bytes, unit) {}

  BlockDevice& Restart() { return device_; }
  BlockDevice& device() { return device_; }
  simulator::SimulatedClock& clock() { return clock_; }
  const OverwriteDevice& part() const { return device_; }

 private:
  simulator::SimulatedClock clock_;
  OverwriteDevice device_;
};

constexpr size_t kExtentsFew = 18;    // so that they are found anew again and again
constexpr size_t kExtentsMany = 200;  // 3200 bytes

/// Ends a wait when power is gone.
class PowerWaiter final : public Waiter {
 public:
  explicit PowerWaiter(simulator::PowerSupply& power) : power_(power) {}
  Status Wait() override { return power_.is_on() ? Status::kOk : Status::kMediumFailed; }

 private:
  simulator::PowerSupply& power_;
};

struct Fat {
  explicit Fat(FatFormatOptions::Kind kind) {
    options.kind = kind;
    options.cluster_bytes = 512;
    options.root_entry_count = 64;
  }
  explicit Fat(const FatFormatOptions& chosen) : options(chosen) {}
  FatFormatOptions options;
  using Files = FatFileSystem;
  std::unique_ptr<FatFileSystem> Make(BlockDevice& device, Waiter& waiter,
                                      MutableByteSpan buffer) const {
    return std::make_unique<FatFileSystem>(device, waiter, buffer, options);
  }
};

struct Spiffs {
  size_t extent_count = kExtentsFew;
  std::unique_ptr<SpiffsFileSystem> Make(BlockDevice& device, Waiter& waiter,
                                         MutableByteSpan buffer) const {
    return std::make_unique<SpiffsFileSystem>(device, waiter, buffer);
  }
  using Files = SpiffsFileSystem;
};

struct Eefs {
  std::unique_ptr<EefsFileSystem> Make(BlockDevice& device, Waiter& waiter, MutableByteSpan) const {
    return std::make_unique<EefsFileSystem>(device, waiter);
  }
  using Files = EefsFileSystem;
};

/// A file of somebody else on the volume.
class ForeignFile {
 public:
  static Status Add(FileSystem& files) {
    OTA_TRY(File file, files.Create(kName, kBytes));
    OTA_TRY(files.Append(file, MakeModel(kBytes, kSeed)));
    return files.Sync(file);
  }

  /// What is wrong with it, or with a volume that has `other_count` other files; "": nothing.
  static std::string FindFault(FileSystem& files, uint32_t other_count) {
    std::vector<uint8_t> bytes(kBytes);
    Result<File> file = files.Open(kName);
    if (!file.ok() || !IsOk(files.Read(*file, 0, bytes)) || bytes != MakeModel(kBytes, kSeed)) {
      return "the foreign file is damaged";
    }
    std::vector<uint8_t> work(4096);
    const Result<CheckReport> report = files.Check(CheckMode::kReport, work);
    if (!report.ok()) return "the volume cannot be checked";
    if (!report->is_sound()) {
      return "the volume is not sound: " + std::to_string(report->damaged_file_count) +
             " damaged, " + std::to_string(report->leaked_unit_count) + " leaked, " +
             std::to_string(report->duplicate_count) + " twice, " +
             std::to_string(report->other_count) + " others";
    }
    return report->file_count == other_count + 1 ? "" : "a file was left behind";
  }

 private:
  static constexpr const char* kName = "foreign.txt";
  static constexpr uint32_t kBytes = 700;
  static constexpr uint32_t kSeed = 77;
};

/// A store as files of a volume, beside a file of somebody else.
template <typename FileSystemKind, typename Medium>
class FileStoreWorld final : public MediumWorld<Medium> {
 public:
  template <typename... Arguments>
  explicit FileStoreWorld(const FileSystemKind& kind, const Arguments&... arguments)
      : MediumWorld<Medium>(arguments...), kind_(kind), extents_(kind.extent_count) {
    Restart();
  }

  ModelStore& store() override { return *store_; }
  void Restart() override {
    this->power_.Restore();
    BlockDevice& device = this->medium_.Restart();
    store_.reset();
    files_ = kind_.Make(device, waiter_, buffer_);
    store_ = std::make_unique<FileModelStore>(*files_, device, waiter_, workspace_, extents_);
    this->Protect(*store_);
  }
  bool has_raw_store() const override { return false; }
  void AddForeignFile() override { (void)ForeignFile::Add(*files_); }  // missed by FindFault
  std::string FindFault() override {
    return ForeignFile::FindFault(*files_, store_->image_count() + JournalFiles::kFileCount);
  }

 private:
  FileSystemKind kind_;
  PowerWaiter waiter_{this->power_};
  std::array<uint8_t, 512> buffer_{};
  std::vector<uint8_t> workspace_ = std::vector<uint8_t>(512);
  std::vector<Extent> extents_;
  std::unique_ptr<typename FileSystemKind::Files> files_;
  std::unique_ptr<FileModelStore> store_;
};

/// A store in a container of a volume that has a file of somebody else.
template <typename FileSystemKind, typename Medium>
class ContainerWorld final : public MediumWorld<Medium> {
 public:
  template <typename... Arguments>
  explicit ContainerWorld(const FileSystemKind& kind, const Arguments&... arguments)
      : MediumWorld<Medium>(arguments...), kind_(kind) {
    BlockDevice& device = StartVolume();
    (void)files_->Format();  // what fails here leaves no container, and the store does not mount
    (void)ForeignFile::Add(*files_);
    (void)MakeContainer(*files_, device.geometry());
    Restart();
  }

  ModelStore& store() override { return *store_; }
  BlockDevice& device() override { return *partition_; }
  void Restart() override {
    this->power_.Restore();
    BlockDevice& device = StartVolume();
    const Status mounted = files_->Mount();
    const Result<ContainerPlace> found = FindContainer(*files_, device.geometry());
    place_ = IsOk(mounted) && found.ok() ? *found : ContainerPlace{};
    partition_ = std::make_unique<Partition>(device, place_.offset, place_.size_bytes);
    workspace_.resize(std::max<uint32_t>(device.geometry().program_unit, kWorkspaceBytesMin));
    store_ = std::make_unique<RawModelStore>(*partition_, workspace_, this->segment_count_);
    this->Protect(*store_);
  }
  std::string FindFault() override { return ForeignFile::FindFault(*files_, 1); }
  std::vector<uint32_t> ReadWear() const override {
    const std::vector<uint32_t> all = this->medium_.part().ReadWear();
    const auto unit = static_cast<uint32_t>(partition_->geometry().erase_unit);
    const auto first = all.begin() + place_.offset / unit;
    return {first, first + place_.size_bytes / unit};
  }

 private:
  static constexpr uint32_t kWorkspaceBytesMin = 64;

  BlockDevice& StartVolume() {
    BlockDevice& device = this->medium_.Restart();
    files_ = kind_.Make(device, waiter_, buffer_);
    return device;
  }

  FileSystemKind kind_;
  PowerWaiter waiter_{this->power_};
  std::array<uint8_t, 512> buffer_{};
  ContainerPlace place_;
  std::vector<uint8_t> workspace_;
  std::unique_ptr<typename FileSystemKind::Files> files_;
  std::unique_ptr<Partition> partition_;
  std::unique_ptr<RawModelStore> store_;
};

/// A part with other sizes, so that a run is short.
OnChipFlashTraits Scale(OnChipFlashTraits traits, uint32_t size_bytes, uint32_t erase_unit) {
  traits.nor.size_bytes = size_bytes;
  traits.nor.erase_unit = erase_unit;
  return traits;
}

using Factory = std::function<std::unique_ptr<StoreWorld>()>;

template <typename Part, typename... Arguments>
Factory Make(uint32_t workspace_bytes, const Arguments&... arguments) {
  return [=] { return std::make_unique<RawStoreWorld<Part>>(workspace_bytes, arguments...); };
}

template <typename Medium, typename FileSystemKind, typename... Arguments>
Factory MakeFiles(const FileSystemKind& kind, const Arguments&... arguments) {
  return
      [=] { return std::make_unique<FileStoreWorld<FileSystemKind, Medium>>(kind, arguments...); };
}

template <typename Medium, typename FileSystemKind, typename... Arguments>
Factory MakeContained(const FileSystemKind& kind, const Arguments&... arguments) {
  return
      [=] { return std::make_unique<ContainerWorld<FileSystemKind, Medium>>(kind, arguments...); };
}

Factory Encrypted(const Factory& make_plain) {
  return [make_plain] {
    std::unique_ptr<StoreWorld> world = make_plain();
    world->Encrypt();
    return world;
  };
}

const std::map<std::string, Factory>& Factories() {
  using namespace simulator;  // NOLINT: the traits
  static const std::map<std::string, Factory> kFactories = {
      {"nrf52840-64k", Make<OnChipPart>(64, Scale(kNrf52840Flash, KiB(64), KiB(4)))},
      {"nrf52840-64k-encrypted",
       Encrypted(Make<OnChipPart>(64, Scale(kNrf52840Flash, KiB(64), KiB(4))))},
      {"samd51-96k", Make<OnChipPart>(128, Scale(kSamd51Flash, KiB(96), KiB(8)))},
      {"stm32h7-small-sectors", Make<OnChipPart>(32, Scale(kStm32H743Flash, KiB(64), KiB(4)))},
      {"stm32h7", Make<OnChipPart>(256, Scale(kStm32H743Flash, KiB(1280), KiB(128)))},
      {"teensy40-64k", Make<OnChipPart>(256, Scale(kTeensy40Flash, KiB(64), KiB(4)))},
      {"teensy40-512k", Make<OnChipPart>(64, Scale(kTeensy40Flash, KiB(512), KiB(4)))},
      {"w25q-256k", Make<SpiNor>(256, kW25Q16, KiB(256))},
      {"eeprom-32k", Make<I2cMemory>(64, k24Lc256, KiB(32))},
      {"eeprom-128k", Make<I2cMemory>(128, k24Lc1025, KiB(128))},
      {"fram-128k", Make<I2cMemory>(64, kFm24V10, KiB(128))},
      {"fram-128k-encrypted", Encrypted(Make<I2cMemory>(64, kFm24V10, KiB(128)))},
      {"spi-fram-32k", Make<SpiFramMemory>(64, kFm25V10, KiB(32))},
      {"sd-1m", Make<Sd>(512, kSdsc64M, MiB(1))},
      {"fat12-512k",
       MakeContained<OverwriteMedium>(Fat(FatFormatOptions::Kind::kFat12), KiB(512), 512u)},
      {"fat16-2m",
       MakeContained<OverwriteMedium>(Fat(FatFormatOptions::Kind::kFat16), KiB(2200), 512u)},
      {"fat12-512k-encrypted", Encrypted(MakeContained<OverwriteMedium>(
                                   Fat(FatFormatOptions::Kind::kFat12), KiB(512), 512u))},
      {"eefs-64k", MakeContained<OverwriteMedium>(Eefs(), KiB(64), 8u)},
      {"eefs-128k", MakeContained<OverwriteMedium>(Eefs(), KiB(128), 64u)},
      {"spiffs-256k",
       MakeFiles<PartMedium<OnChipPart>>(Spiffs(), Scale(kTeensy40Flash, KiB(256), KiB(4)))},
      {"emmc-1m", Make<Mmc>(512, kEmmc4G, MiB(1))},
  };
  return kFactories;
}

const std::map<std::string, Factory>& FullSizeFactories() {
  using namespace simulator;  // NOLINT: the traits
  static const std::map<std::string, Factory> kFactories = {
      {"nRF52840 flash", Make<OnChipPart>(256, kNrf52840Flash)},
      {"STM32H743 flash", Make<OnChipPart>(256, kStm32H743Flash)},
      {"W25Q16", Make<SpiNor>(256, kW25Q16, MiB(2))},
      {"24LC1025", Make<I2cMemory>(128, k24Lc1025, KiB(128))},
      {"FM24V10", Make<I2cMemory>(64, kFm24V10, KiB(128))},
      {"FM25V10", Make<SpiFramMemory>(64, kFm25V10, KiB(128))},
      {"SD 64 MB", Make<Sd>(512, kSdsc64M, MiB(64))},
      {"SPIFFS on W25Q16", MakeFiles<PartMedium<SpiNor>>(Spiffs{kExtentsMany}, kW25Q16, MiB(2))},
      {"FAT on SD 64 MB",
       MakeContained<PartMedium<Sd>>(Fat(FatFormatOptions{}), kSdsc64M, MiB(64))},
      {"EEFS on FM24V10", MakeContained<PartMedium<I2cMemory>>(Eefs(), kFm24V10, KiB(128))},
  };
  return kFactories;
}

std::vector<std::string> NamesOf(const std::map<std::string, Factory>& factories) {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories) names.push_back(name);
  return names;
}

// Where the bytes of an image may begin: at a multiple of this, but on SPIFFS.
constexpr size_t kPlaceUnit = 16;

}  // namespace

bool HasPlainBytes(const StoreWorld& world, const std::vector<uint8_t>& model) {
  const ByteSpan first = ByteSpan(model).first(std::min(model.size(), kPlaceUnit));
  for (ByteSpan rest = world.medium(); rest.size() >= kPlaceUnit; rest = rest.subspan(kPlaceUnit)) {
    if (AreEqual(rest.first(first.size()), first)) return true;
  }
  return false;
}

std::vector<std::string> WorldNames() { return NamesOf(Factories()); }

std::vector<std::string> FullSizeWorldNames() { return NamesOf(FullSizeFactories()); }

std::unique_ptr<StoreWorld> MakeWorld(const std::string& name) {
  for (const auto* factories : {&Factories(), &FullSizeFactories()}) {
    const auto factory = factories->find(name);
    if (factory != factories->end()) return factory->second();
  }
  return nullptr;
}

}  // namespace ota::storage
