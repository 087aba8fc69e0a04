// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/file_view.h"

#include <algorithm>

namespace ota::storage {

Status FileView::Open(FileSystem& files, std::string_view name, uint32_t size_bytes) {
  Forget();
  OTA_TRY(const File file, files.Open(name));
  if (file.size_bytes < size_bytes) return Status::kCorrupted;
  id_ = file.id;
  entry_offset_ = file.entry_offset;
  size_bytes_ = size_bytes;
  covered_bytes_ = 0;
  return Status::kOk;
}

Status FileView::Resolve(FileSystem& files, std::span<Extent> extents, uint32_t offset) {
  covered_bytes_ = 0;
  move_count_ = files.move_count();
  first_offset_ = offset - offset % files.extent_unit();
  File file;
  file.id = id_;
  file.entry_offset = entry_offset_;
  file.size_bytes = size_bytes_;
  OTA_TRY(const size_t count, files.ReadExtents(file, first_offset_, extents));
  entry_offset_ = file.entry_offset;  // where it is now
  uint64_t covered = 0;
  for (const Extent& extent : extents.first(count)) covered += extent.size_bytes();
  covered_bytes_ = static_cast<uint32_t>(std::min<uint64_t>(covered, size_bytes_ - first_offset_));
  return offset - first_offset_ < covered_bytes_ ? Status::kOk : Status::kCorrupted;
}

Result<FileView::Range> FileView::Locate(FileSystem& files, std::span<Extent> extents,
                                         uint32_t offset) {
  const bool is_known = move_count_ == files.move_count() && offset >= first_offset_ &&
                        offset - first_offset_ < covered_bytes_;
  if (!is_known) OTA_TRY(Resolve(files, extents, offset));
  uint32_t rest = offset - first_offset_;
  const Extent* extent = extents.data();
  while (rest >= extent->size_bytes()) rest -= (extent++)->size_bytes();
  const uint32_t within = rest % extent->piece_bytes;
  return Range{extent->offset + rest / extent->piece_bytes * extent->stride_bytes + within,
               std::min(extent->piece_bytes - within, size_bytes_ - offset)};
}

}  // namespace ota::storage
