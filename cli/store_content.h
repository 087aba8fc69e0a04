// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cli/volume_image.h"
#include "storage/block_device/memory_block_device.h"
#include "storage/block_device/partition.h"
#include "storage/model_store/raw_model_store.h"

namespace ota::cli {

/// The models in a store, as an image shows them. Errors are CommandErrors.
class StoreContent {
 public:
  /// `store`, mounted or formatted, must outlive it.
  explicit StoreContent(storage::ModelStore& store) : store_(store) {}

  std::vector<ImageEntry> List();
  bool Has(const std::string& name);
  /// Also fails if the bytes do not have their digest.
  std::vector<uint8_t> Read(const std::string& name);
  /// As a confirmed image.
  void Add(const std::string& name, const std::vector<uint8_t>& content);
  uint64_t ReadFreeBytes() { return store_.space().largest_free_bytes; }
  /// Adds what a pass over all models finds.
  void Check(ImageCheck& check);

 private:
  /// Whether its bytes have its digest.
  bool IsSound(const storage::ImageInfo& info);

  storage::ModelStore& store_;
};

/// A raw store on a part of an image: all of it, or its container.
class RawStoreRegion {
 public:
  /// `bytes`, all of the image, must outlive it; the units are those of the medium that it is for.
  RawStoreRegion(std::vector<uint8_t>& bytes, uint32_t erase_unit, uint32_t program_unit,
                 uint32_t offset, uint32_t size_bytes);

  Status Format();
  Status Mount();
  StoreContent& content() { return content_; }
  const storage::Geometry& geometry() const { return region_.geometry(); }

  /// The store that lies at `offset` of the image or up to an erase unit behind, its units found
  /// from its journal; null: none. `end` is where it ends, or up to an erase unit behind.
  static std::unique_ptr<RawStoreRegion> Find(std::vector<uint8_t>& bytes, uint32_t offset,
                                              uint32_t end);

 private:
  storage::MemoryBlockDevice device_;
  storage::Partition region_;
  std::vector<uint8_t> workspace_;
  storage::RawModelStore store_;
  StoreContent content_;
};

}  // namespace ota::cli
