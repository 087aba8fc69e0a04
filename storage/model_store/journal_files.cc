// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/journal_files.h"

#include <algorithm>

#include "storage/model_store/journaled_store.h"

namespace ota::storage {
namespace {

constexpr uint8_t kErased = 0xFF;
constexpr uint32_t kProgramUnit = 4;  // a file begins anywhere within the device's unit
constexpr uint32_t kChunkBytes = 512;

bool IsMissing(Status status) {
  return status == Status::kNotFound || status == Status::kCorrupted;
}

}  // namespace

JournalFiles::JournalFiles(FileSystem& files, BlockDevice& device, Waiter& waiter,
                           std::span<Extent> extents)
    : files_(files),
      device_(device, waiter),
      extents_(extents),
      image_count_max_(ImageCountMaxOf(device.geometry().size_bytes)),
      geometry_{0, 1, kProgramUnit, kChunkBytes, kErased, true, true} {
  geometry_.erase_unit = Journal::ComputeSegmentBytes(geometry_, image_count_max_);
  geometry_.size_bytes = kFileCount * file_bytes() + geometry_.erase_unit;
}

void JournalFiles::Forget() {
  for (FileView& view : views_) view.Forget();
}

Result<FileView::Range> JournalFiles::Locate(uint32_t offset) {
  const uint32_t index = offset / file_bytes();
  FileView& view = views_[index];
  if (!view.is_open()) OTA_TRY(view.Open(files_, FileName(index), file_bytes()));
  const size_t share = kExtentCount / kFileCount;
  return view.Locate(files_, extents_.subspan(index * share, share), offset % file_bytes());
}

Status JournalFiles::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), kFileCount * file_bytes())) return Status::kOutOfRange;
  while (!target.empty()) {
    const Result<FileView::Range> range = Locate(offset);
    if (IsMissing(range.status())) {
      std::fill(target.begin(), target.end(), kErased);
      return Status::kOk;
    }
    OTA_TRY(range.status());
    const MutableByteSpan part = target.first(std::min<size_t>(target.size(), range->length));
    OTA_TRY(device_.Read(range->device_offset, part));
    target = target.subspan(part.size());
    offset += static_cast<uint32_t>(part.size());
  }
  return Status::kOk;
}

Status JournalFiles::Program(uint32_t offset, ByteSpan data) {
  if (!IsInBounds(offset, data.size(), kFileCount * file_bytes())) return Status::kOutOfRange;
  while (!data.empty()) {
    const Result<FileView::Range> range = Locate(offset);
    if (IsMissing(range.status())) return Status::kNotErased;
    OTA_TRY(range.status());
    const ByteSpan part = data.first(std::min<size_t>(data.size(), range->length));
    OTA_TRY(device_.Program(range->device_offset, part));
    data = data.subspan(part.size());
    offset += static_cast<uint32_t>(part.size());
  }
  return Status::kOk;
}

Status JournalFiles::Erase(uint32_t offset, uint32_t length) {
  if (!IsInBounds(offset, length, kFileCount * file_bytes())) return Status::kOutOfRange;
  const uint32_t index = offset / file_bytes();
  views_[index].Forget();
  const Status deleted = files_.Delete(FileName(index));
  if (!IsOk(deleted) && deleted != Status::kNotFound) return deleted;
  OTA_TRY(File file, files_.Create(FileName(index), file_bytes()));
  uint8_t erased[kChunkBytes];
  std::fill(std::begin(erased), std::end(erased), kErased);
  while (file.size_bytes < file_bytes()) {
    const uint32_t part = std::min(kChunkBytes, file_bytes() - file.size_bytes);
    OTA_TRY(files_.Append(file, ByteSpan(erased, part)));
  }
  return files_.Sync(file);
}

}  // namespace ota::storage
