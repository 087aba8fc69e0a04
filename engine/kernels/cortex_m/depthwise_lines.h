// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"

namespace ota::engine::dsp {

/// A tile of four channels of a 3x3 depthwise convolution that goes through lines: the input's rows
/// are split by channel into lines of halves, with their padding, three at a time. So edges cost
/// nothing, and taps of neighbouring pixels share their loads.

/// Prepares the tile. False: a channel needs another kernel.
bool BeginLines(const ConvRows<ConvS8>& job, const ChannelTermS8* terms);

/// Computes rows, the results saturated to int8. Rows of an image must come in order.
void ComputeLines(const ConvRows<ConvS8>& job);

}  // namespace ota::engine::dsp
