// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/volume_image.h"

namespace ota::cli {

/// An empty raw model store for a unit of that size. CommandError: no size for one.
std::unique_ptr<VolumeImage> MakeRawImage(uint32_t size_bytes, uint32_t erase_unit,
                                          uint32_t program_unit);

/// The raw model store that the bytes hold, its units found from its journal; null: none.
std::unique_ptr<VolumeImage> OpenRawImage(const std::vector<uint8_t>& bytes);

}  // namespace ota::cli
