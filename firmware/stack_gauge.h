// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ota::firmware {

/// Fills all of the stack below the caller with a pattern.
void PaintStack();

/// Bytes of stack below the caller of PaintStack that were used since, at their deepest. A few more
/// than true when what was written last happens to be the pattern: never in practice.
uint32_t ReadStackUse();

}  // namespace ota::firmware
