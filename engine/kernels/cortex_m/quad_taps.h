// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/cortex_m/quad_run.h"

// What quad_run_plain.cc repeats for each row of a window. Weights are words.

namespace ota::engine::dsp {

/// Adds the products of `count` inputs, a multiple of four, to the sums of four channels.
void AddTogether(const uint32_t* values, const int8_t* at, uint32_t count, int32_t* sums,
                 int32_t zero_point);

/// The same of taps of which each channel has its own: `entry` rows of `rounds` columns each, from
/// the last one to the first.
void AddSideBySide(const QuadRun& run, int32_t* sums);

}  // namespace ota::engine::dsp
