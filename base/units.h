// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota {

constexpr uint32_t KiB(uint32_t count) { return count * 1024; }
constexpr uint32_t MiB(uint32_t count) { return count * 1024 * 1024; }

/// Smallest multiple of `unit` that is not below `value`. `unit` must not be 0; the result must
/// fit.
constexpr uint32_t RoundUp(uint32_t value, uint32_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace ota
