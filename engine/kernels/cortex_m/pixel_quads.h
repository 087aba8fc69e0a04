// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"

namespace ota::engine::dsp {

/// Rows of a tile of a CONV_2D, of any shape but groups: the windows of four pixels are widened and
/// kept while the weights of all channels pass (quad_run.h). Pixels are taken in their order, over
/// the ends of rows, and read before anything is written. `weights` have all taps of each channel;
/// up to three bytes before them are read too. `values` have room for `room_taps` of each pixel, a
/// multiple of four, and behind them, if windows have more, for four sums of each channel.
void ComputePixels(const ConvRows<ConvS8>& job, const uint8_t* weights, uint32_t* values,
                   uint32_t room_taps);

}  // namespace ota::engine::dsp
