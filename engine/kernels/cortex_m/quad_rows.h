// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/quad_terms.h"

namespace ota::engine::dsp {

/// A tile of a convolution whose windows are gathered four pixels at a time, widened and padded,
/// and then go through all channels of the tile (pixel_quads.h). Pixels are taken in their order,
/// over the ends of rows, and gathered before anything is written.

/// Brings the terms into the form that ComputeQuadRows wants.
void BeginQuads(const ConvRows<ConvS8>& job, const QuadLayout& layout, ChannelTermS8* terms);

/// The worst form in a tile that was begun.
QuadForm WorstForm(const ConvRows<ConvS8>& job);

/// Computes rows. `weights` lie by channel, `channel_bytes` for each; the same as the taps, or the
/// taps filled up with zeros to whole groups of four.
void ComputeQuadRows(const ConvRows<ConvS8>& job, const QuadLayout& layout, const uint8_t* weights,
                     uint32_t channel_bytes);

}  // namespace ota::engine::dsp
