// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "storage/block_device/memory_block_device.h"
#include "storage/file_system/file_system.h"

// What the fuzz targets of all file systems do with an image.

namespace ota::storage {

/// Lists the root and one directory, reads and changes what is there. Statuses do not matter: that
/// each call returns, and the sanitizers stay silent, does.
inline void ExerciseFiles(FileSystem& files) {
  if (!IsOk(files.Mount())) return;
  char name[128];
  char first_name[128] = "a";
  size_t first_length = 1;
  const Result<Directory> root = files.OpenDirectory("");
  if (root.ok()) {
    Directory directory = *root;
    for (int i = 0; i < 64; ++i) {
      const Result<FileInfo> info = files.ReadDirectory(directory, name);
      if (!info.ok()) {
        if (info.status() == Status::kBufferTooSmall) continue;
        break;
      }
      if (info->name.size() > sizeof(name)) std::abort();
      std::copy(info->name.begin(), info->name.end(), first_name);
      first_length = info->name.size();
      const Result<Directory> inner = files.OpenDirectory({first_name, first_length});
      Directory within = inner.ok() ? *inner : Directory{};
      for (int j = 0; inner.ok() && j < 8; ++j) {
        char inner_name[128];
        if (!files.ReadDirectory(within, inner_name).ok()) break;
      }
      Result<File> file = files.Open({first_name, first_length});
      if (!file.ok()) continue;
      uint8_t bytes[700];
      for (uint32_t at = 0; at < 20 * sizeof(bytes) && at < file->size_bytes; at += sizeof(bytes)) {
        const size_t part = std::min<size_t>(sizeof(bytes), file->size_bytes - at);
        if (!IsOk(files.Read(*file, at, {bytes, part}))) break;
      }
      Extent extents[4];
      (void)files.ReadExtents(*file, 0, extents);  // ends, that is all
    }
  }
  std::vector<uint8_t> work(2048);
  (void)files.Check(CheckMode::kReport, work);  // as above, and so below
  Result<File> added = files.Create("added by the fuzzer.bin", 100);
  if (added.ok()) {
    const std::vector<uint8_t> bytes(1500, 0xA5);
    (void)files.Append(*added, bytes);
    (void)files.Sync(*added);
  }
  Result<File> old = files.Open({first_name, first_length});
  if (old.ok()) {
    (void)files.Append(*old, ByteSpan(work).first(300));
    (void)files.Sync(*old);
  }
  (void)files.Rename({first_name, first_length}, "renamed");
  (void)files.Delete("renamed");
  (void)files.CreateDirectory("made");
  (void)files.Check(CheckMode::kRepair, work);
  (void)files.ReadSpace();
}

/// Puts the input at the start of a device of at most `size_max` bytes. The first input byte says
/// how much erased space follows.
template <typename Use>
void FuzzImage(const uint8_t* data, size_t size, Geometry geometry, uint32_t size_max, Use use) {
  if (size < 1) return;
  const uint32_t unit = geometry.erase_unit;
  uint64_t length = (size - 1 + (uint64_t{data[0]} << 11)) / unit * unit;
  length = std::clamp<uint64_t>(length, unit, size_max / unit * unit);
  std::vector<uint8_t> image(length, geometry.erased_value);
  std::copy_n(data + 1, std::min<size_t>(size - 1, image.size()), image.data());
  geometry.size_bytes = static_cast<uint32_t>(length);
  MemoryBlockDevice device(image, geometry);
  SpinWaiter waiter;
  use(device, waiter);
}

}  // namespace ota::storage
