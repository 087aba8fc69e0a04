// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"

namespace ota::engine::dsp {

/// Applies the limits of an activation that are narrower than int8 to rows of `count` output
/// channels that were computed without.
void ClampRows(const ConvRows<ConvS8>& job, uint32_t first_channel, uint32_t count);

}  // namespace ota::engine::dsp
