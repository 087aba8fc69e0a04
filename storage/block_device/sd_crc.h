// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace ota::storage {

/// Check bits of SD and MMC commands: x^7 + x^3 + 1, in the upper seven bits, the end bit 1 below.
uint8_t ComputeSdCrc7(ByteSpan bytes);

/// Check bits of SD and MMC data blocks: CRC-16-CCITT, start value 0.
uint16_t ComputeSdCrc16(ByteSpan bytes);

/// The same of each data line, DAT0 first; those of lines that are not used are 0.
using LineCheckBits = std::array<uint16_t, 8>;

/// Check bits of a block on 1, 4 or 8 data lines, each of which has its own of the bits that it
/// carries: of each byte the upper half goes before the lower one, or all of it at once.
LineCheckBits ComputeLineCheckBits(ByteSpan bytes, uint32_t line_count);

}  // namespace ota::storage
