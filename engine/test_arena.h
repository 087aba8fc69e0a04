// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "engine/interpreter.h"

namespace ota::engine {

/// An arena for tests: as aligned as it must be, of exactly `size` bytes, which hold no zeros.
struct TestArena {
  explicit TestArena(size_t size) : bytes(size + kArenaAlignment, 0xA5), size(size) {}
  MutableByteSpan span() {
    void* at = bytes.data();
    size_t space = bytes.size();
    return {static_cast<uint8_t*>(std::align(kArenaAlignment, size, at, space)), size};
  }
  std::vector<uint8_t> bytes;
  size_t size;
};

}  // namespace ota::engine
