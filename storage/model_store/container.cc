// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/container.h"

#include "base/units.h"

namespace ota::storage {
namespace {

constexpr uint32_t kShares = 16;

Status Create(FileSystem& files, uint32_t size_bytes) {
  if (size_bytes != 0) return files.CreateContiguous(kContainerName, size_bytes).status();
  OTA_TRY(const VolumeSpace space, files.ReadSpace());
  Status status = Status::kStorageFull;
  for (uint32_t shares = kShares - 1; status == Status::kStorageFull && shares > 0; --shares) {
    const uint32_t size = space.free_bytes / kShares * shares;
    if (size != 0) status = files.CreateContiguous(kContainerName, size).status();
  }
  return status;
}

}  // namespace

Result<ContainerPlace> FindContainer(FileSystem& files, const Geometry& geometry) {
  OTA_TRY(File file, files.Open(kContainerName));
  Extent extents[2];
  OTA_TRY(const size_t count, files.ReadExtents(file, 0, extents));
  const bool is_one_run = count == 1 && extents[0].piece_count == 1 &&
                          extents[0].size_bytes() == file.size_bytes &&
                          IsInBounds(extents[0].offset, file.size_bytes, geometry.size_bytes);
  if (!is_one_run) return Status::kCorrupted;
  const uint32_t unit = geometry.erase_unit;
  const uint32_t end = (extents[0].offset + file.size_bytes) / unit * unit;
  const uint32_t skipped = (unit - extents[0].offset % unit) % unit;
  const uint32_t begin = extents[0].offset + skipped;
  if (skipped >= file.size_bytes || begin >= end) return Status::kCorrupted;
  return ContainerPlace{begin, end - begin};
}

Result<ContainerPlace> MakeContainer(FileSystem& files, const Geometry& geometry,
                                     uint32_t size_bytes) {
  const Result<ContainerPlace> found = FindContainer(files, geometry);
  if (found.status() == Status::kCorrupted) OTA_TRY(files.Delete(kContainerName));
  if (found.ok() || (found.status() != Status::kNotFound && found.status() != Status::kCorrupted)) {
    return found;
  }
  OTA_TRY(Create(files, size_bytes));
  return FindContainer(files, geometry);
}

}  // namespace ota::storage
