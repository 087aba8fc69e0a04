// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/block_device/block_device.h"

namespace ota::storage {

/// A block device in front of another one that keeps what small reads have brought, in pages: a
/// model's structure is read a few bytes at a time, which a card would answer with a sector each.
/// Whole pages are read past it. Any byte may be read: its read unit is 1.
///
/// Invariant: a page holds what the device held when it was read; what is programmed or erased is
/// dropped before the device changes it.
class ReadCache final : public BlockDevice {
 public:
  static constexpr uint32_t kPageCountMax = 32;

  /// `device`, whose size must be known, and `pages` must outlive it. `page_bytes`, a multiple of
  /// the device's read unit, divides `pages`, of which at most kPageCountMax are used.
  ReadCache(BlockDevice& device, MutableByteSpan pages, uint32_t page_bytes);

  const Geometry& geometry() const override { return geometry_; }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  Status Program(uint32_t offset, ByteSpan data) override;
  Status Erase(uint32_t offset, uint32_t length) override;
  Status Sync() override { return device_.Sync(); }
  bool is_busy() const override { return device_.is_busy(); }
  std::optional<ByteSpan> Map() const override { return device_.Map(); }

 private:
  static constexpr uint32_t kNoPage = UINT32_MAX;

  struct Slot {
    uint32_t page = kNoPage;
    uint32_t used_at = 0;
  };

  MutableByteSpan BytesOf(uint32_t slot) { return pages_.subspan(slot * page_bytes_, page_bytes_); }
  Result<uint32_t> FetchPage(uint32_t page);
  void Drop(uint32_t offset, size_t length);

  BlockDevice& device_;
  MutableByteSpan pages_;
  uint32_t page_bytes_;
  uint32_t slot_count_;
  Geometry geometry_;
  std::array<Slot, kPageCountMax> slots_{};
  uint32_t time_ = 0;  ///< counts the uses
};

}  // namespace ota::storage
