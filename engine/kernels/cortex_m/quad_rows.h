// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"

namespace ota::engine::dsp {

/// A tile of a convolution whose windows are gathered four pixels at a time, widened and padded,
/// and then go through all channels of the tile (pixel_quads.h). Pixels are taken in their order,
/// over the ends of rows, and gathered before anything is written.

/// Forms that a term can take, from the cheapest on.
enum class QuadForm : uint32_t {
  kFast,      ///< fast_term.h; its shift is from 1 on
  kConstant,  ///< the result is the bias, whatever the input
  kGeneral
};
QuadForm FormOf(const ChannelTermS8& begun_term);

/// Brings a term into such a form; `reach`: the most that a sum can be from its bias.
ChannelTermS8 BeginQuadTerm(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int64_t reach);

/// Result of a sum, bias included, of a term that was begun.
int8_t FinishQuadSum(const ConvRows<ConvS8>& job, const ChannelTermS8& begun_term, int32_t sum);

/// Brings the terms into the form that ComputeQuadRows wants.
void BeginQuads(const ConvRows<ConvS8>& job, const QuadLayout& layout, ChannelTermS8* terms);

/// The worst form in a tile that was begun.
QuadForm WorstForm(const ConvRows<ConvS8>& job);

/// Computes rows. `weights` lie by channel, `channel_bytes` for each; the same as the taps, or the
/// taps filled up with zeros to whole groups of four.
void ComputeQuadRows(const ConvRows<ConvS8>& job, const QuadLayout& layout, const uint8_t* weights,
                     uint32_t channel_bytes);

}  // namespace ota::engine::dsp
