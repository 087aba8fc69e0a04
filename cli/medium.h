// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "simulator/board/board_table.h"

namespace ota::cli {

/// Puts the image at `image_path` where the board's models lie, as if its medium had been flashed
/// with it. CommandError: the board has a medium already, the image has another size than models
/// have room there, or a file cannot be read or written.
void InstallMedium(const simulator::BoardTraits& traits, const std::string& state_directory,
                   const std::string& image_path);

}  // namespace ota::cli
