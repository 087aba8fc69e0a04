// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/read_cache.h"

#include <algorithm>

namespace ota::storage {

ReadCache::ReadCache(BlockDevice& device, MutableByteSpan pages, uint32_t page_bytes)
    : device_(device),
      pages_(pages),
      page_bytes_(page_bytes),
      slot_count_(std::min(static_cast<uint32_t>(pages.size()) / page_bytes, kPageCountMax)),
      geometry_(device.geometry()) {
  geometry_.read_unit = 1;
}

Status ReadCache::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), geometry_.size_bytes)) return Status::kOutOfRange;
  while (!target.empty()) {
    const uint32_t skipped = offset % page_bytes_;
    auto length = static_cast<uint32_t>(target.size() - target.size() % page_bytes_);
    if (skipped == 0 && length != 0) {
      OTA_TRY(device_.Read(offset, target.first(length)));
    } else {
      OTA_TRY(const uint32_t slot, FetchPage(offset / page_bytes_));
      length = static_cast<uint32_t>(std::min<size_t>(target.size(), page_bytes_ - skipped));
      std::copy_n(BytesOf(slot).begin() + skipped, length, target.begin());
    }
    offset += length;
    target = target.subspan(length);
  }
  return Status::kOk;
}

/// The slot with that page, read if need be in place of the one that was not used for longest.
Result<uint32_t> ReadCache::FetchPage(uint32_t page) {
  uint32_t oldest = 0;
  time_ += 1;
  for (uint32_t i = 0; i < slot_count_; ++i) {
    if (slots_[i].page == page) {
      slots_[i].used_at = time_;
      return i;
    }
    // The difference, so that a count which has wrapped does no harm.
    if (time_ - slots_[i].used_at > time_ - slots_[oldest].used_at) oldest = i;
  }
  const uint32_t first = page * page_bytes_;
  const uint32_t length = std::min(page_bytes_, geometry_.size_bytes - first);
  slots_[oldest].page = kNoPage;
  OTA_TRY(device_.Read(first, BytesOf(oldest).first(length)));
  slots_[oldest] = {page, time_};
  return oldest;
}

void ReadCache::Drop(uint32_t offset, size_t length) {
  for (Slot& slot : slots_) {
    const uint64_t first = uint64_t{slot.page} * page_bytes_;
    if (first < uint64_t{offset} + length && offset < first + page_bytes_) slot.page = kNoPage;
  }
}

Status ReadCache::Program(uint32_t offset, ByteSpan data) {
  Drop(offset, data.size());
  return device_.Program(offset, data);
}

Status ReadCache::Erase(uint32_t offset, uint32_t length) {
  Drop(offset, length);
  return device_.Erase(offset, length);
}

}  // namespace ota::storage
