// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Where the boards of the MPS2 family differ; firmware/CMakeLists.txt gives the values.

namespace ota::firmware {

/// External RAM of the board, which stands for memory-mapped non-volatile memory.
inline constexpr uintptr_t kPsramAddress = OTA_PSRAM_ADDRESS;
inline constexpr uint32_t kPsramBytes = 16 * 1024 * 1024;

/// Whether code uses a floating point unit, which must be switched on first.
inline constexpr bool kHasFloatUnit = OTA_HAS_FLOAT_UNIT;

}  // namespace ota::firmware
