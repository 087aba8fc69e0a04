// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/file_unit.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>

#include "base/units.h"
#include "simulator/board/virtual_board.h"
#include "simulator/memory_parts/spi_nor_part.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/i2c_eeprom.h"
#include "storage/block_device/partition.h"
#include "storage/block_device/read_cache.h"
#include "storage/block_device/sd_card.h"
#include "storage/block_device/spi_nor.h"
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/model_store/file_model_store.h"

namespace ota::simulator {
namespace {

using storage::BlockDevice;
using storage::FileModelStore;
using storage::Waiter;

constexpr std::string_view kModelSuffix = ".tflite";

std::string Hex(ByteSpan bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// File name -> digest in hexadecimal digits. Lines of another form are passed over.
std::map<std::string, std::string> ParseDigestList(const std::string& text) {
  constexpr size_t kDigestDigits = 64;
  std::map<std::string, std::string> digests;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool is_sound = line.size() > kDigestDigits + 2 && line[kDigestDigits] == ' ';
    if (is_sound) digests[line.substr(kDigestDigits + 2)] = line.substr(0, kDigestDigits);
  }
  return digests;
}

AdoptedFile::Verdict JudgeFile(const std::map<std::string, std::string>& digests,
                               const std::string& file_name, ByteSpan bytes) {
  const auto found = digests.find(file_name);
  if (found == digests.end()) return AdoptedFile::Verdict::kUnlisted;
  return found->second == Hex(crypto::ComputeSha256(bytes)) ? AdoptedFile::Verdict::kVerified
                                                            : AdoptedFile::Verdict::kRefused;
}

/// A board with SD. Partition table, tables of clusters and root directory lie at the start.
struct SdWithFat {
  using Files = storage::FatFileSystem;
  static constexpr MemoryUnitKind kKind = MemoryUnitKind::kSdCard;
  static constexpr uint32_t kBufferBytes = storage::kFatSectorBytesMin;
  static constexpr uint32_t kWorkspaceBytes = 2048;
  static constexpr uint32_t kExtentsPerModel = 4;
  static constexpr uint32_t kCachePageBytes = 512;
  static constexpr uint32_t kCacheBytes = 8 * kCachePageBytes;
  static constexpr uint32_t kSearchedBytes = MiB(4);

  SdWithFat(const MediumPlace& place, SimulatedClock& clock, PowerSupply& power)
      : part(kSdhc2GProtected, clock, power, place.path, place.size_bytes), controller(part) {}
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
  static constexpr uint32_t kWorkspaceBytes = 1024;  // files begin anywhere in a page of 256
  static constexpr uint32_t kExtentsPerModel = 1;
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

struct NorWithSpiffs {
  using Files = storage::SpiffsFileSystem;
  static constexpr MemoryUnitKind kKind = MemoryUnitKind::kSpiNor;
  static constexpr uint32_t kBufferBytes = 256;
  static constexpr uint32_t kWorkspaceBytes = 512;
  static constexpr uint32_t kExtentsPerModel = 80;  // one for each erase block of 300 KB
  static constexpr uint32_t kCachePageBytes = 64;
  static constexpr uint32_t kCacheBytes = 32 * kCachePageBytes;
  static constexpr uint32_t kSearchedBytes = UINT32_MAX;

  NorWithSpiffs(const MediumPlace& place, SimulatedClock& clock, PowerSupply& power)
      : part(kW25Q32, clock, power, place.path), controller(part) {}
  Status Start() { return controller.Start(); }
  NorArray& cells() { return part.nor(); }
  const NorArray& cells() const { return part.nor(); }
  Files MakeFiles(BlockDevice& device, Waiter& waiter) { return {device, waiter, buffer}; }

  SpiNorPart part;
  storage::SpiNorFlash controller;
  std::array<uint8_t, kBufferBytes> buffer = {};
};

template <typename Hardware>
class FileUnit final : public MemoryUnit {
 public:
  using Files = typename Hardware::Files;

  FileUnit(const MediumPlace& place, SimulatedClock& clock, PowerSupply& power)
      : place_(place), hardware_(place, clock, power), driver_(hardware_.controller, queue_) {}

  Status Start() override {
    OTA_TRY(hardware_.Start());
    if (!volume_) volume_.emplace(*this);
    return Status::kOk;
  }
  storage::ModelStore& store() override { return volume_->store; }

  bool is_blank() override {
    const uint32_t searched = std::min(place_.size_bytes, Hardware::kSearchedBytes);
    return IsBlank(hardware_.cells().bytes().subspan(place_.offset, searched),
                   driver_.geometry().erased_value);
  }

  bool HasFilesOnly() override {
    if (!IsOk(volume_->files.Mount())) return false;
    for (const char* const journal : {"models.jr0", "models.jr1"}) {
      if (volume_->files.Open(journal).status() != Status::kNotFound) return false;
    }
    return true;
  }

  Result<std::vector<AdoptedFile>> AdoptFiles() override;

  const PartFigures& figures() const override { return hardware_.cells().figures(); }

 private:
  /// What needs the part's size.
  struct Volume {
    explicit Volume(FileUnit& unit)
        : cache(unit.driver_, unit.pages_, Hardware::kCachePageBytes),
          models(cache, unit.place_.offset, unit.place_.size_bytes),
          files(unit.hardware_.MakeFiles(models, waiter)),
          store(files, models, waiter, unit.workspace_, unit.extents_) {}

    storage::ReadCache cache;
    storage::Partition models;
    storage::SpinWaiter waiter;
    Files files;
    FileModelStore store;
  };

  Result<std::vector<std::string>> FindModelFiles();
  Result<std::vector<uint8_t>> ReadWholeFile(const std::string& file_name);
  Status StoreModel(const std::string& name, ByteSpan bytes);

  MediumPlace place_;
  Hardware hardware_;
  std::array<uint8_t, Hardware::kWorkspaceBytes> queue_ = {};
  std::array<uint8_t, Hardware::kWorkspaceBytes> workspace_ = {};
  std::array<storage::Extent, Hardware::kExtentsPerModel* FileModelStore::kViewCount> extents_ = {};
  std::array<uint8_t, Hardware::kCacheBytes> pages_ = {};
  storage::FlashDriver driver_;
  std::optional<Volume> volume_;

  static_assert(sizeof(queue_) + sizeof(workspace_) + sizeof(extents_) + sizeof(pages_) +
                    sizeof(driver_) + sizeof(Volume) + sizeof(Hardware::controller) +
                    Hardware::kBufferBytes <=
                UnitSramBytes(Hardware::kKind));
};

template <typename Hardware>
Result<std::vector<std::string>> FileUnit<Hardware>::FindModelFiles() {
  std::vector<std::string> found;
  std::array<char, 256> name;
  OTA_TRY(storage::Directory root, volume_->files.OpenDirectory(""));
  for (;;) {
    const Result<storage::FileInfo> info = volume_->files.ReadDirectory(root, name);
    if (info.status() == Status::kEndOfInput) return found;
    if (info.status() == Status::kBufferTooSmall) continue;
    OTA_TRY(info.status());
    if (!info->is_directory && info->name.ends_with(kModelSuffix)) found.emplace_back(info->name);
  }
}

template <typename Hardware>
Result<std::vector<uint8_t>> FileUnit<Hardware>::ReadWholeFile(const std::string& file_name) {
  OTA_TRY(storage::File file, volume_->files.Open(file_name));
  if (file.size_bytes > place_.size_bytes) return Status::kCorrupted;
  std::vector<uint8_t> bytes(file.size_bytes);
  OTA_TRY(volume_->files.Read(file, 0, bytes));
  return bytes;
}

template <typename Hardware>
Result<std::vector<AdoptedFile>> FileUnit<Hardware>::AdoptFiles() {
  const Result<std::vector<uint8_t>> list = ReadWholeFile(kDigestListName);
  if (!list.ok() && list.status() != Status::kNotFound) return list.status();
  const auto digests = list.ok() ? ParseDigestList({list->begin(), list->end()})
                                 : std::map<std::string, std::string>();
  OTA_TRY(const std::vector<std::string> names, FindModelFiles());
  std::vector<AdoptedFile> adopted;
  for (const std::string& name : names) {
    OTA_TRY(const std::vector<uint8_t> bytes, ReadWholeFile(name));
    const std::string model = name.substr(0, name.size() - kModelSuffix.size());
    const AdoptedFile::Verdict verdict = JudgeFile(digests, name, bytes);
    if (verdict != AdoptedFile::Verdict::kRefused) OTA_TRY(StoreModel(model, bytes));
    adopted.push_back({model, verdict});
  }
  return adopted;
}

template <typename Hardware>
Status FileUnit<Hardware>::StoreModel(const std::string& name, ByteSpan bytes) {
  FileModelStore& store = volume_->store;
  const storage::ModelName model{name};
  const storage::StageRequest request = {.name = model,
                                         .size_bytes = static_cast<uint32_t>(bytes.size()),
                                         .digest = crypto::ComputeSha256(bytes)};
  OTA_TRY(RunToEnd([&] { return store.Begin(request); }));
  for (ByteSpan rest = bytes; !rest.empty();) {
    OTA_TRY(const uint32_t taken, RunToEnd([&] { return store.Append(rest); }));
    rest = rest.subspan(taken);
  }
  OTA_TRY(RunToEnd([&] { return store.Finish(); }));
  OTA_TRY(RunToEnd([&] { return store.Activate(model); }));
  return RunToEnd([&] { return store.Confirm(model); });
}

}  // namespace

bool IsBlank(ByteSpan bytes, uint8_t erased_value) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [&](uint8_t byte) { return byte == erased_value; });
}

std::unique_ptr<MemoryUnit> MakeFileUnit(MemoryUnitKind kind, const MediumPlace& place,
                                         SimulatedClock& clock, PowerSupply& power) {
  switch (kind) {
    case MemoryUnitKind::kSdCard:
      return std::make_unique<FileUnit<SdWithFat>>(place, clock, power);
    case MemoryUnitKind::kEeprom:
      return std::make_unique<FileUnit<EepromWithEefs>>(place, clock, power);
    case MemoryUnitKind::kSpiNor:
      return std::make_unique<FileUnit<NorWithSpiffs>>(place, clock, power);
    case MemoryUnitKind::kOnChipFlash:
      break;
  }
  return nullptr;
}

}  // namespace ota::simulator
