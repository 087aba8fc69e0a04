// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// A medium that holds many models, as the bytes of a file: made offline, flashed or written to a
// card at once, and read back. A raw model store, or a file system of storage/file_system with a
// store on it, with files, or with both.

namespace ota::cli {

enum class ImageKind : uint8_t { kFat, kSpiffs, kEefs, kRaw };

/// What an image is to be like. 0 and kAutomatic mean the usual.
struct ImageOptions {
  ImageKind kind = ImageKind::kFat;
  bool is_plain = false;          ///< models are files, and no store is made
  uint32_t fat_bits = 0;          ///< FAT: 12, 16 or 32
  bool is_partitioned = false;    ///< FAT: behind a master boot record
  uint32_t page_bytes = 256;      ///< SPIFFS
  uint32_t block_bytes = 4096;    ///< SPIFFS
  bool is_esp8266 = false;        ///< SPIFFS: as the ESP8266's tools make it
  bool is_little_endian = false;  ///< EEFS
  uint32_t slot_count = 64;       ///< EEFS
  uint32_t spare_bytes = 0;       ///< EEFS: room for each file to grow
  uint32_t store_bytes = 0;       ///< FAT, EEFS: of the container; 0: as MakeContainer
  uint32_t erase_unit = 4096;     ///< raw
  uint32_t program_unit = 256;    ///< raw, and EEFS: a page of the EEPROM
  uint32_t time_s = 0;            ///< of all files, seconds since 1970
};

struct ImageEntry {
  std::string name;
  uint64_t size_bytes = 0;
  uint32_t modified_s = 0;
  std::string state;  ///< of a store's models: "confirmed", "staged", …; "": a file
};

/// What a check found.
struct ImageCheck {
  uint32_t file_count = 0;
  bool is_sound = true;
  uint32_t model_count = 0;           ///< in the store
  std::vector<std::string> findings;  ///< a line each
};

/// The content of an image. Errors are CommandErrors that say what and where.
class VolumeImage {
 public:
  virtual ~VolumeImage() = default;

  /// "FAT16", "SPIFFS, pages of 256 and blocks of 4096 bytes", …
  virtual std::string description() const = 0;
  /// Files, but for those that are the store, and the store's models.
  virtual std::vector<ImageEntry> List() = 0;
  /// A model, or a file if there is no model of that name.
  virtual std::vector<uint8_t> Read(const std::string& name) = 0;
  /// Adds a confirmed model to the store; where there is none, a file.
  virtual void Add(const std::string& name, const std::vector<uint8_t>& content) = 0;
  /// Says how much room is left.
  virtual uint64_t ReadFreeBytes() = 0;
  virtual ImageCheck Check(bool repairs) = 0;
  /// The last step of making it.
  virtual void Seal() {}

  const std::vector<uint8_t>& bytes() const { return bytes_; }

  /// An empty medium of that size.
  static std::unique_ptr<VolumeImage> Make(uint32_t size_bytes, const ImageOptions& options);

  /// Finds out what the bytes hold; `path` is for messages.
  static std::unique_ptr<VolumeImage> Open(std::vector<uint8_t> bytes, const std::string& path);

 protected:
  explicit VolumeImage(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  std::vector<uint8_t> bytes_;
};

/// "4M", "512K", "65536" -> bytes. CommandError: anything else, or 4 GiB and more.
uint32_t ParseSize(const std::string& text);

/// Of "fat", "spiffs", "eefs", "raw".
ImageKind ParseImageKind(const std::string& text);

}  // namespace ota::cli
