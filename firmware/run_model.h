// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/operator_table.h"

// What tells the run_model image its job: the emulator puts it at the front of non-volatile memory.

namespace ota::firmware {

/// Little endian, at offset 0 of non_volatile_memory().
struct RunModelJob {
  uint32_t model_bytes;  ///< length of the model, which lies at kRunModelOffset
  uint32_t golden_case;  ///< how the inputs are made: 0 zero points, 1 all 127, 2 and on random
  uint32_t arena_bytes;  ///< 0: exactly as many as the model needs
  uint32_t page_bytes;   ///< 0: weights are used in place; else streamed through a page of so many
};

constexpr uint32_t kRunModelOffset = 4096;

/// The operators of the image; the build chooses a file.
engine::OperatorTable RunModelOperators();

}  // namespace ota::firmware
