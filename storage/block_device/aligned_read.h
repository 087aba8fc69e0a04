// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/block_device.h"

namespace ota::storage {

inline constexpr uint32_t kReadUnitMax = 512;

/// Reads any range of a device, whatever its read unit, which must not exceed kReadUnitMax; the
/// ragged ends go through a buffer on the stack. Statuses as BlockDevice::Read.
Status ReadUnaligned(BlockDevice& device, uint32_t offset, MutableByteSpan target);

}  // namespace ota::storage
