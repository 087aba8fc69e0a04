// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace ota::simulator {

/// The bytes of a simulated memory part: in memory, or in a file of just these bytes, which then is
/// the image that a real part could be flashed with. Changes to a file are there at once, also when
/// the process is killed.
class MemoryImage {
 public:
  /// Fresh bytes, all `erased_value`; lost at the end.
  MemoryImage(uint32_t size_bytes, uint8_t erased_value);

  /// The file at `path`, made if it is not there; longer by erased bytes if it is too short.
  /// Throws std::system_error with the path.
  MemoryImage(uint32_t size_bytes, uint8_t erased_value, const std::string& path);

  ~MemoryImage();
  MemoryImage(const MemoryImage&) = delete;
  MemoryImage& operator=(const MemoryImage&) = delete;

  MutableByteSpan bytes() { return {data_, size_bytes_}; }
  ByteSpan bytes() const { return {data_, size_bytes_}; }

 private:
  void Fill(uint32_t first, uint8_t erased_value);

  uint8_t* data_ = nullptr;
  uint32_t size_bytes_;
};

}  // namespace ota::simulator
