// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/prng.h"
#include "storage/file_system/file_system.h"
#include "storage/file_system/test_device.h"

// What the tests of all file systems do with files.

namespace ota::storage {

using Bytes = std::vector<uint8_t>;

inline Bytes MakeBytes(size_t count, uint32_t seed) {
  Prng prng(seed * 2 + 1);
  Bytes bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(prng.Next() >> 11);
  return bytes;
}

/// Creates, appends in pieces of `piece` bytes, and syncs.
inline Status WriteFile(FileSystem& files, std::string_view path, const Bytes& bytes,
                        size_t piece = 1000) {
  OTA_TRY(File file, files.Create(path, static_cast<uint32_t>(bytes.size())));
  for (size_t at = 0; at < bytes.size(); at += piece) {
    OTA_TRY(files.Append(file, ByteSpan(bytes).subspan(at, std::min(piece, bytes.size() - at))));
  }
  return files.Sync(file);
}

inline Result<Bytes> ReadFile(FileSystem& files, std::string_view path, size_t piece = 700) {
  OTA_TRY(File file, files.Open(path));
  if (file.size_bytes > (1u << 28)) return Status::kCorrupted;
  Bytes bytes(file.size_bytes);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const size_t part = std::min(piece, bytes.size() - at);
    OTA_TRY(files.Read(file, static_cast<uint32_t>(at), MutableByteSpan(bytes).subspan(at, part)));
  }
  return bytes;
}

/// The same bytes by raw reads of the device at the file's extents, resolved `window` at a time.
inline Result<Bytes> ReadByExtents(FileSystem& files, BlockDevice& device, std::string_view path,
                                   size_t window = 3) {
  OTA_TRY(File file, files.Open(path));
  Bytes bytes;
  std::vector<Extent> extents(window);
  while (bytes.size() < file.size_bytes) {
    OTA_TRY(const size_t count,
            files.ReadExtents(file, static_cast<uint32_t>(bytes.size()), extents));
    if (count == 0) return Status::kCorrupted;
    for (size_t i = 0; i < count; ++i) {
      const Extent& extent = extents[i];
      for (uint32_t piece = 0; piece < extent.piece_count; ++piece) {
        const size_t length = std::min<size_t>(extent.piece_bytes, file.size_bytes - bytes.size());
        const uint32_t unit = device.geometry().read_unit;
        Bytes part(RoundUp(static_cast<uint32_t>(length), unit));
        OTA_TRY(device.Read(extent.offset + piece * extent.stride_bytes, part));
        bytes.insert(bytes.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(length));
      }
    }
  }
  return bytes;
}

/// Names in a directory with their sizes; directories have a '/' behind.
inline Result<std::map<std::string, uint32_t>> List(FileSystem& files, std::string_view path = {}) {
  std::map<std::string, uint32_t> names;
  OTA_TRY(Directory directory, files.OpenDirectory(path));
  std::vector<char> name(1024);
  for (;;) {
    const Result<FileInfo> info = files.ReadDirectory(directory, name);
    if (info.status() == Status::kEndOfInput) return names;
    OTA_TRY(info.status());
    names[std::string(info->name) + (info->is_directory ? "/" : "")] = info->size_bytes;
  }
}

inline Result<CheckReport> CheckWhole(FileSystem& files, CheckMode mode) {
  Bytes work(1024);
  return files.Check(mode, work);
}

#define EXPECT_OK(expression) EXPECT_EQ(ota::internal::StatusOf(expression), ota::Status::kOk)
#define ASSERT_OK(expression) ASSERT_EQ(ota::internal::StatusOf(expression), ota::Status::kOk)

inline void ExpectFile(FileSystem& files, const std::string& path, const Bytes& expected) {
  const Result<Bytes> found = ReadFile(files, path);
  ASSERT_OK(found);
  EXPECT_TRUE(*found == expected) << path << " has other bytes than were written";
}

inline void ExpectSound(FileSystem& files, uint32_t file_count) {
  const Result<CheckReport> report = CheckWhole(files, CheckMode::kReport);
  ASSERT_OK(report);
  EXPECT_EQ(report->file_count, file_count);
  EXPECT_EQ(report->damaged_file_count, 0u);
  EXPECT_EQ(report->leaked_unit_count, 0u);
  EXPECT_EQ(report->duplicate_count, 0u);
  EXPECT_EQ(report->other_count, 0u);
}

}  // namespace ota::storage
