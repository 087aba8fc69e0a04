// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::storage {

/// A moment as FAT entries hold it: two seconds of resolution, 1980 to 2107.
struct FatTime {
  uint16_t date;
  uint16_t time;
};

/// From seconds since 1970; what FAT cannot say becomes its first moment.
FatTime EncodeFatTime(uint32_t seconds);

/// Seconds since 1970; 0 when the fields are no date.
uint32_t DecodeFatTime(FatTime fields);

}  // namespace ota::storage
