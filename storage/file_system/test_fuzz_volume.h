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

/// Files for the input to damage. Statuses do not matter: a small device may not hold all.
inline void WriteSomeFiles(FileSystem& files) {
  if (!IsOk(files.Format())) return;
  (void)files.CreateDirectory("folder");  // FAT alone has any
  for (uint32_t i = 0; i < 6; ++i) {
    char name[] = "folder/a rather long name 0";
    name[sizeof(name) - 2] = static_cast<char>('0' + i);
    const std::string_view path(i % 2 == 0 ? name + 7 : name);
    Result<File> file = files.Create(path, 700 * i);
    if (!file.ok()) continue;
    const std::vector<uint8_t> bytes(700 * i, static_cast<uint8_t>(i));
    (void)files.Append(*file, bytes);
    (void)files.Sync(*file);
  }
}

/// Makes a volume of the input and uses it. The first byte says how: the rest lies at the start of
/// the device, with some erased space behind; or each four bytes of it are an offset and a byte to
/// put there, in a volume that was sound before.
///
/// `with_files(device, waiter, use)` calls `use` with a file system over the device.
template <typename WithFiles>
void FuzzVolume(const uint8_t* data, size_t size, Geometry geometry, uint32_t size_bytes,
                WithFiles with_files) {
  if (size < 1) return;
  const bool is_patch = (data[0] & 1) != 0;
  geometry.size_bytes = size_bytes;
  std::vector<uint8_t> image(size_bytes, geometry.erased_value);
  MemoryBlockDevice device(image, geometry);
  SpinWaiter waiter;
  if (is_patch) {
    with_files(device, waiter, WriteSomeFiles);
    for (size_t at = 1; at + 4 <= size; at += 4) {
      const uint32_t offset = LoadLe32(data + at) & 0xFFFFFF;
      // Half of the patches go where the format keeps its tables.
      image[offset % ((offset >> 23) != 0 ? 8192 : size_bytes)] = data[at + 3];
    }
  } else {
    std::copy_n(data + 1, std::min<size_t>(size - 1, image.size()), image.data());
  }
  with_files(device, waiter, ExerciseFiles);
}

}  // namespace ota::storage
