// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/journal_files.h"

#include <algorithm>

#include "base/units.h"
#include "storage/model_store/journaled_store.h"

namespace ota::storage {
namespace {

constexpr uint8_t kErased = 0xFF;
constexpr uint32_t kEraseUnit = 512;  // where overwriting is free
constexpr uint32_t kProgramUnit = 4;  // where a file begins anywhere within the device's unit
constexpr uint32_t kChunkBytes = 512;

}  // namespace

JournalFiles::JournalFiles(FileSystem& files, BlockDevice& device, Waiter& waiter)
    : files_(files),
      device_(device, waiter),
      image_count_max_(ImageCountMaxOf(device.geometry().size_bytes)),
      geometry_(device.geometry()) {
  if (geometry_.program_unit <= DeviceAccess::kWidenedUnitMax)
    geometry_.program_unit = kProgramUnit;
  geometry_.read_unit = geometry_.program_unit == kProgramUnit ? 1 : geometry_.read_unit;
  geometry_.erased_value = kErased;
  geometry_.erase_unit = std::max(kEraseUnit, geometry_.program_unit);
  file_bytes_ = Journal::ComputeSegmentBytes(geometry_, image_count_max_);
  if (geometry_.needs_erase) geometry_.erase_unit = file_bytes_;
  geometry_.size_bytes = kFileCount * file_bytes_ + geometry_.erase_unit;
}

void JournalFiles::Forget() {
  for (FileView& view : views_) view.Forget();
}

Result<FileView*> JournalFiles::OpenFile(uint32_t index) {
  FileView& view = views_[index];
  if (!view.is_open()) {
    OTA_TRY(view.Open(files_, FileName(index), file_bytes_, extents_[index]));
  }
  return &view;
}

Status JournalFiles::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), kFileCount * file_bytes_)) return Status::kOutOfRange;
  const Result<FileView*> view = OpenFile(offset / file_bytes_);
  if (view.status() == Status::kNotFound || view.status() == Status::kCorrupted) {
    std::fill(target.begin(), target.end(), kErased);
    return Status::kOk;
  }
  OTA_TRY(view.status());
  for (uint32_t at = offset % file_bytes_; !target.empty();) {
    OTA_TRY(const FileView::Range range, (*view)->Locate(files_, at));
    const MutableByteSpan part = target.first(std::min<size_t>(target.size(), range.length));
    OTA_TRY(device_.Read(range.device_offset, part));
    target = target.subspan(part.size());
    at += static_cast<uint32_t>(part.size());
  }
  return Status::kOk;
}

Status JournalFiles::Program(uint32_t offset, ByteSpan data) {
  if (!IsInBounds(offset, data.size(), kFileCount * file_bytes_)) return Status::kOutOfRange;
  const Result<FileView*> view = OpenFile(offset / file_bytes_);
  if (view.status() == Status::kNotFound || view.status() == Status::kCorrupted) {
    return Status::kNotErased;
  }
  OTA_TRY(view.status());
  for (uint32_t at = offset % file_bytes_; !data.empty();) {
    OTA_TRY(const FileView::Range range, (*view)->Locate(files_, at));
    const ByteSpan part = data.first(std::min<size_t>(data.size(), range.length));
    OTA_TRY(device_.Program(range.device_offset, part));
    data = data.subspan(part.size());
    at += static_cast<uint32_t>(part.size());
  }
  return Status::kOk;
}

Status JournalFiles::Erase(uint32_t offset, uint32_t length) {
  if (!IsInBounds(offset, length, kFileCount * file_bytes_)) return Status::kOutOfRange;
  const uint32_t index = offset / file_bytes_;
  const bool is_whole = OpenFile(index).ok();
  if (!is_whole || geometry_.needs_erase) return MakeFile(index);
  uint8_t erased[kChunkBytes];
  std::fill(std::begin(erased), std::end(erased), kErased);
  for (uint32_t done = 0; done < length; done += kChunkBytes) {
    OTA_TRY(Program(offset + done, ByteSpan(erased, std::min(kChunkBytes, length - done))));
  }
  return Status::kOk;
}

Status JournalFiles::MakeFile(uint32_t index) {
  views_[index].Forget();
  const Status deleted = files_.Delete(FileName(index));
  if (!IsOk(deleted) && deleted != Status::kNotFound) return deleted;
  OTA_TRY(File file, files_.Create(FileName(index), file_bytes_));
  uint8_t erased[kChunkBytes];
  std::fill(std::begin(erased), std::end(erased), kErased);
  while (file.size_bytes < file_bytes_) {
    const uint32_t part = std::min(kChunkBytes, file_bytes_ - file.size_bytes);
    OTA_TRY(files_.Append(file, ByteSpan(erased, part)));
  }
  return files_.Sync(file);
}

}  // namespace ota::storage
