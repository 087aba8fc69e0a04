// SPDX-License-Identifier: Apache-2.0
#include "cli/volume_image.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <optional>

#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/raw_image.h"
#include "cli/store_content.h"
#include "crypto/sha256.h"
#include "simulator/board/digest_list.h"
#include "simulator/board/memory_unit.h"
#include "storage/block_device/memory_block_device.h"
#include "storage/file_system/eefs/eefs_file_system.h"
#include "storage/file_system/fat/fat_file_system.h"
#include "storage/file_system/spiffs/spiffs_file_system.h"
#include "storage/model_store/container.h"
#include "storage/model_store/file_model_store.h"

namespace ota::cli {
namespace {

using storage::FileSystem;

constexpr uint32_t kDepthMax = 16;
constexpr uint32_t kSectorBytes = 512;
constexpr size_t kNameBytesMax = 1024;
constexpr size_t kWorkBytes = 65536;

[[noreturn]] void Throw(const std::string& what, Status status) {
  throw CommandError(what + ": " + std::string(StatusSentence(status)));
}

void Require(const std::string& what, Status status) {
  if (status != Status::kOk) Throw(what, status);
}

template <typename T>
T Require(const std::string& what, Result<T> result) {
  Require(what, result.status());
  return *std::move(result);
}

void RequireStore(Status status) {
  if (status == Status::kStorageFull || status == Status::kNotSupported) {
    throw CommandError("no room for a model store of these sizes and units; give another --size",
                       2);
  }
  Require("cannot make the model store", status);
}

storage::Geometry OverwritingGeometry(uint32_t unit) {
  return {0, unit, unit, unit, 0, true, false};
}
storage::Geometry NorGeometry(uint32_t erase_unit) {
  return {0, 1, 1, erase_unit, 0xFF, true, true};
}
storage::Geometry WithSize(storage::Geometry geometry, size_t size) {
  geometry.size_bytes = static_cast<uint32_t>(size);
  return geometry;
}

/// An image with a file system on it.
class FileSystemImage : public VolumeImage {
 public:
  std::vector<ImageEntry> List() override {
    std::vector<ImageEntry> entries;
    ListDirectory("", 0, entries);
    if (store() == nullptr) return entries;
    std::erase_if(entries, [&](const ImageEntry& entry) { return IsOfStore(entry.name); });
    for (ImageEntry& model : store()->List()) entries.push_back(std::move(model));
    return entries;
  }

  std::vector<uint8_t> Read(const std::string& name) override {
    if (store() != nullptr && store()->Has(name)) return store()->Read(name);
    return Require("cannot read " + name, ReadFile(name));
  }

  void Add(const std::string& name, const std::vector<uint8_t>& content) override {
    if (store() != nullptr) return store()->Add(name, content);
    const std::string what = "cannot add " + name;
    const auto size_bytes = static_cast<uint32_t>(content.size());
    const Result<storage::File> created = files().Create(name, size_bytes + spare_bytes_);
    if (created.status() == Status::kStorageFull) ThrowFull(name, content.size());
    storage::File file = Require(what, created);
    const Status appended = files().Append(file, content);
    if (appended == Status::kStorageFull) ThrowFull(name, content.size());
    Require(what, appended);
    Require(what, files().Sync(file));
  }

  uint64_t ReadFreeBytes() override {
    if (store() != nullptr) return store()->ReadFreeBytes();
    return Require("cannot count the free space", files().ReadSpace()).free_bytes;
  }

  ImageCheck Check(bool repairs) override {
    std::vector<uint8_t> work(kWorkBytes);
    const auto mode = repairs ? storage::CheckMode::kRepair : storage::CheckMode::kReport;
    const storage::CheckReport report = Require("cannot check", files().Check(mode, work));
    ImageCheck check;
    check.file_count = report.file_count;
    check.is_sound = report.is_sound();
    const auto say = [&](uint32_t count, const char* text) {
      if (count != 0) check.findings.push_back(std::to_string(count) + " " + text);
    };
    say(report.damaged_file_count, "damaged files: bytes that cannot be reached, or are shared");
    say(report.leaked_unit_count, "clusters or pages that no file uses");
    say(report.duplicate_count, "second names or copies that a power cut left");
    say(report.other_count, "entries that do not fit the rest");
    if (store() != nullptr) store()->Check(check);
    CheckDigests(check);
    return check;
  }

  virtual FileSystem& files() = 0;

  /// Makes the store that is on an empty volume of this kind.
  virtual void MakeStore(const ImageOptions& options) = 0;
  /// Looks for one; there need not be any.
  virtual void FindStore() = 0;

 protected:
  FileSystemImage(std::vector<uint8_t> bytes, const storage::Geometry& geometry)
      : VolumeImage(std::move(bytes)), device_(bytes_, WithSize(geometry, bytes_.size())) {}
  /// Null: there is none.
  virtual StoreContent* store() = 0;
  virtual bool IsOfStore(const std::string& file_name) const = 0;

  storage::MemoryBlockDevice device_;
  storage::SpinWaiter waiter_;
  uint32_t spare_bytes_ = 0;

 private:
  Result<std::vector<uint8_t>> ReadFile(const std::string& name) {
    OTA_TRY(storage::File file, files().Open(name));
    if (file.size_bytes > bytes_.size()) return Status::kCorrupted;
    std::vector<uint8_t> content(file.size_bytes);
    OTA_TRY(files().Read(file, 0, content));
    return content;
  }

  /// Verifies the files that a list of digests names, if there is one.
  void CheckDigests(ImageCheck& check) {
    const std::string list_name = simulator::kDigestListName;
    const auto list = ReadFile(list_name);
    if (list.status() == Status::kNotFound) return;
    if (!list.ok()) return AddFinding(check, list_name + " cannot be read");
    for (const auto& [name, digest] : simulator::ParseDigestList({list->begin(), list->end()})) {
      const auto content = ReadFile(name);
      if (!content.ok()) {
        AddFinding(check, "file " + name + ", which " + list_name + " names, cannot be read: " +
                              std::string(StatusSentence(content.status())));
      } else if (crypto::HexText(crypto::ComputeSha256(*content)) != digest) {
        AddFinding(check, "file " + name + " does not have the digest of " + list_name);
      }
    }
  }

  static void AddFinding(ImageCheck& check, std::string text) {
    check.is_sound = false;
    check.findings.push_back(std::move(text));
  }

  [[noreturn]] void ThrowFull(const std::string& name, size_t size) {
    throw CommandError("no room for " + name + ": it has " + std::to_string(size) +
                       " bytes, free are " + std::to_string(ReadFreeBytes()) +
                       "; give a larger --size or fewer models");
  }

  void ListDirectory(const std::string& path, uint32_t depth, std::vector<ImageEntry>& entries) {
    const std::string what = "cannot list " + (path.empty() ? "the root" : path);
    storage::Directory directory = Require(what, files().OpenDirectory(path));
    std::vector<char> name(kNameBytesMax);
    for (;;) {
      const auto info = files().ReadDirectory(directory, name);
      if (info.status() == Status::kEndOfInput) return;
      Require(what, info.status());
      const std::string full = path + (path.empty() ? "" : "/") + std::string(info->name);
      if (!info->is_directory) {
        entries.push_back({full, info->size_bytes, info->modified_s, ""});
      } else if (depth < kDepthMax) {
        ListDirectory(full, depth + 1, entries);
      } else {
        Throw(what, Status::kCorrupted);
      }
    }
  }
};

/// One whose store lies in a container.
class ContainerImage : public FileSystemImage {
 public:
  void MakeStore(const ImageOptions& options) override {
    const uint32_t unit = options.kind == ImageKind::kFat ? kSectorBytes : options.program_unit;
    if (unit == 0) throw CommandError("--program-unit must not be 0", 2);
    storage::Geometry geometry = device_.geometry();
    geometry.erase_unit = unit;
    const auto place = storage::MakeContainer(files(), geometry, options.store_bytes);
    RequireStore(place.status());
    region_ =
        std::make_unique<RawStoreRegion>(bytes_, unit, unit, place->offset, place->size_bytes);
    RequireStore(region_->Format());
  }

  void FindStore() override {
    storage::Geometry geometry = device_.geometry();
    geometry.erase_unit = 1;
    const auto place = storage::FindContainer(files(), geometry);
    if (!place.ok()) return;
    region_ = RawStoreRegion::Find(bytes_, place->offset, place->offset + place->size_bytes);
  }

 protected:
  using FileSystemImage::FileSystemImage;

  StoreContent* store() override { return region_ == nullptr ? nullptr : &region_->content(); }
  bool IsOfStore(const std::string& file_name) const override {
    return file_name == storage::kContainerName;
  }
  std::string DescribeStore() const {
    if (region_ == nullptr) return "";
    return ", a model store of " + std::to_string(region_->geometry().size_bytes) + " bytes in " +
           std::string(storage::kContainerName);
  }

 private:
  std::unique_ptr<RawStoreRegion> region_;
};

class FatImage final : public ContainerImage {
 public:
  FatImage(std::vector<uint8_t> bytes, const storage::FatFormatOptions& options)
      : ContainerImage(std::move(bytes), OverwritingGeometry(kSectorBytes)),
        files_(device_, waiter_, buffer_, options) {}

  std::string description() const override {
    const char* const kinds[] = {"FAT12", "FAT16", "FAT32"};
    return std::string(kinds[static_cast<size_t>(files_.layout().kind)]) + ", clusters of " +
           std::to_string(files_.layout().cluster_bytes) + " bytes" + DescribeStore();
  }
  storage::FatFileSystem& files() override { return files_; }

 private:
  uint8_t buffer_[storage::kFatSectorBytesMax] = {};
  storage::FatFileSystem files_;
};

class SpiffsImage final : public FileSystemImage {
 public:
  SpiffsImage(std::vector<uint8_t> bytes, const storage::SpiffsOptions& options)
      : FileSystemImage(std::move(bytes), NorGeometry(options.block_bytes)),
        options_(options),
        files_(device_, waiter_, buffer_, options),
        models_(files_, device_, waiter_, workspace_, extents_) {}

  std::string description() const override {
    return "SPIFFS, pages of " + std::to_string(options_.page_bytes) + " and blocks of " +
           std::to_string(options_.block_bytes) + " bytes" +
           (options_.meta_bytes == 0 ? ", as the ESP8266's tools make them" : "") +
           (content_ ? ", a model store" : "");
  }
  storage::SpiffsFileSystem& files() override { return files_; }

  void MakeStore(const ImageOptions&) override {
    RequireStore(models_.Format());
    content_.emplace(models_);
  }
  void FindStore() override {
    if (IsOk(models_.Mount())) content_.emplace(models_);
  }

 protected:
  StoreContent* store() override { return content_ ? &*content_ : nullptr; }
  bool IsOfStore(const std::string& file_name) const override {
    return storage::FileModelStore::IsOwnName(file_name);
  }

 private:
  static constexpr size_t kExtentCount = 400;

  storage::SpiffsOptions options_;
  uint8_t buffer_[storage::kSpiffsPageBytesMax] = {};
  uint8_t workspace_[storage::FileModelStore::kWorkspaceBytesMin] = {};
  std::array<storage::Extent, kExtentCount> extents_ = {};
  storage::SpiffsFileSystem files_;
  storage::FileModelStore models_;
  std::optional<StoreContent> content_;
};

class EefsImage final : public ContainerImage {
 public:
  EefsImage(std::vector<uint8_t> bytes, const storage::EefsOptions& options, uint32_t spare_bytes)
      : ContainerImage(std::move(bytes), OverwritingGeometry(1)),
        files_(device_, waiter_, options) {
    spare_bytes_ = spare_bytes;
  }

  std::string description() const override { return "EEFS" + DescribeStore(); }
  storage::EefsFileSystem& files() override { return files_; }
  void Seal() override { Require("cannot write the table's CRC", files_.WriteTableCrc()); }

 private:
  storage::EefsFileSystem files_;
};

storage::FatFormatOptions FatOptions(const ImageOptions& options) {
  using Kind = storage::FatFormatOptions::Kind;
  storage::FatFormatOptions fat;
  fat.kind = options.fat_bits == 12   ? Kind::kFat12
             : options.fat_bits == 16 ? Kind::kFat16
             : options.fat_bits == 32 ? Kind::kFat32
                                      : Kind::kAutomatic;
  fat.is_partitioned = options.is_partitioned;
  return fat;
}

storage::SpiffsOptions SpiffsLayout(const ImageOptions& options) {
  if (options.is_esp8266) return storage::SpiffsOptions::Esp8266(options.block_bytes);
  storage::SpiffsOptions spiffs;
  spiffs.page_bytes = options.page_bytes;
  spiffs.block_bytes = options.block_bytes;
  return spiffs;
}

template <typename Image>
std::unique_ptr<VolumeImage> Format(std::unique_ptr<Image> image, const ImageOptions& options) {
  image->files().set_time_s(options.time_s);
  const Status status = image->files().Format();
  if (status == Status::kNotSupported) {
    throw CommandError(std::to_string(image->bytes().size()) +
                           " bytes is no size for this file system and layout; give another --size",
                       2);
  }
  Require("cannot make the file system", status);
  if (!options.is_plain) image->MakeStore(options);
  return image;
}

// The layouts that other tools make, the usual first.
std::vector<storage::SpiffsOptions> KnownSpiffsLayouts() {
  std::vector<storage::SpiffsOptions> layouts;
  for (const uint32_t block : {4096u, 8192u, 16384u, 32768u, 65536u}) {
    for (const uint32_t page : {256u, 512u, 1024u, 2048u}) {
      storage::SpiffsOptions options;
      options.page_bytes = page;
      options.block_bytes = block;
      layouts.push_back(options);
    }
    layouts.push_back(storage::SpiffsOptions::Esp8266(block));
  }
  return layouts;
}

// Whether a volume of that kind is there; Mount writes nothing.
bool HasFat(std::vector<uint8_t>& bytes) {
  uint8_t buffer[storage::kFatSectorBytesMax];
  storage::SpinWaiter waiter;
  storage::MemoryBlockDevice device(bytes, WithSize(OverwritingGeometry(512), bytes.size()));
  return storage::FatFileSystem(device, waiter, buffer).Mount() == Status::kOk;
}

bool HasEefs(std::vector<uint8_t>& bytes) {
  storage::SpinWaiter waiter;
  storage::MemoryBlockDevice device(bytes, WithSize(OverwritingGeometry(1), bytes.size()));
  return storage::EefsFileSystem(device, waiter).Mount() == Status::kOk;
}

bool HasSpiffs(std::vector<uint8_t>& bytes, const storage::SpiffsOptions& options) {
  uint8_t buffer[storage::kSpiffsPageBytesMax];
  storage::SpinWaiter waiter;
  storage::MemoryBlockDevice device(bytes,
                                    WithSize(NorGeometry(options.block_bytes), bytes.size()));
  return storage::SpiffsFileSystem(device, waiter, buffer, options).Mount() == Status::kOk;
}

// An image of what is known to be there.
template <typename Image, typename... Options>
std::unique_ptr<VolumeImage> OpenAs(std::vector<uint8_t>& bytes, Options... options) {
  auto image = std::make_unique<Image>(std::move(bytes), options...);
  Require("cannot mount", image->files().Mount());
  image->FindStore();
  return image;
}

}  // namespace

std::unique_ptr<VolumeImage> VolumeImage::Make(uint32_t size_bytes, const ImageOptions& options) {
  switch (options.kind) {
    case ImageKind::kFat:
      return Format(
          std::make_unique<FatImage>(std::vector<uint8_t>(size_bytes), FatOptions(options)),
          options);
    case ImageKind::kSpiffs:
      return Format(std::make_unique<SpiffsImage>(std::vector<uint8_t>(size_bytes, 0xFF),
                                                  SpiffsLayout(options)),
                    options);
    case ImageKind::kEefs: {
      storage::EefsOptions eefs;
      eefs.slot_count_max = options.slot_count;
      if (options.is_little_endian) eefs.byte_order = storage::EefsOptions::ByteOrder::kLittle;
      return Format(
          std::make_unique<EefsImage>(std::vector<uint8_t>(size_bytes), eefs, options.spare_bytes),
          options);
    }
    case ImageKind::kRaw:
      return MakeRawImage(size_bytes, options.erase_unit, options.program_unit);
  }
  throw CommandError("unknown kind of image", 2);
}

std::unique_ptr<VolumeImage> VolumeImage::Open(std::vector<uint8_t> bytes,
                                               const std::string& path) {
  if (bytes.size() > UINT32_MAX) throw CommandError(path + " is larger than 4 GiB");
  if (HasFat(bytes)) return OpenAs<FatImage>(bytes, storage::FatFormatOptions{});
  if (HasEefs(bytes)) return OpenAs<EefsImage>(bytes, storage::EefsOptions{}, 0u);
  for (const storage::SpiffsOptions& options : KnownSpiffsLayouts()) {
    if (HasSpiffs(bytes, options)) return OpenAs<SpiffsImage>(bytes, options);
  }
  if (auto image = OpenRawImage(bytes)) return image;
  throw CommandError(path +
                     " holds no FAT, SPIFFS or EEFS volume and no model store that is known; is it "
                     "the whole medium, from its first byte on?");
}

uint32_t ParseSize(const std::string& text) {
  size_t end = 0;
  uint64_t value = 0;
  try {
    value = std::stoull(text, &end, 0);
  } catch (const std::exception&) {
    end = 0;
  }
  std::string unit = text.substr(end);
  for (char& c : unit) c = static_cast<char>(std::toupper(c));
  if (unit.ends_with("IB")) unit.resize(unit.size() - 2);
  const uint64_t factor = unit.empty() ? 1 : unit == "K" ? 1024 : unit == "M" ? 1024 * 1024 : 0;
  if (end == 0 || text[0] == '-' || factor == 0 || value == 0 || value > UINT32_MAX / factor) {
    throw CommandError("'" + text + "' is no size; say for example 4M, 512K or 65536", 2);
  }
  return static_cast<uint32_t>(value * factor);
}

ImageKind ParseImageKind(const std::string& text) {
  if (text == "fat") return ImageKind::kFat;
  if (text == "spiffs") return ImageKind::kSpiffs;
  if (text == "eefs") return ImageKind::kEefs;
  if (text == "raw") return ImageKind::kRaw;
  throw CommandError("'" + text + "' is no kind of image; say fat, spiffs, eefs or raw", 2);
}

}  // namespace ota::cli
