// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace ota::storage {

/// Check bits of SD and MMC commands: x^7 + x^3 + 1, in the upper seven bits, the end bit 1 below.
uint8_t ComputeSdCrc7(ByteSpan bytes);

/// Check bits of SD and MMC data blocks: CRC-16-CCITT, start value 0.
uint16_t ComputeSdCrc16(ByteSpan bytes);

}  // namespace ota::storage
