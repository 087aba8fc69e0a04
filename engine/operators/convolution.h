// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"
#include "engine/operators/window.h"
#include "engine/run_context.h"

// What CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV share: operands, tiles of output channels,
// terms per channel.

namespace ota::engine {

enum class ConvKind : uint8_t { kFull, kDepthwise, kTransposed };

struct ConvParams {
  Slot input;
  Slot output;
  Slot scratch;  ///< terms of a tile, then weights of a tile if streamed, then the kernel's
  WindowShape shape;
  uint32_t weights_offset;  ///< in the file, as the others
  uint32_t bias_offset;     ///< 0: no bias
  uint32_t scales_offset;   ///< 0: one scale for all channels
  float input_scale;
  float weight_scale;
  float output_scale;
  int16_t input_zero_point;
  int16_t output_zero_point;
  int16_t lowest;
  int16_t highest;
  uint16_t tile_channels;
  formats::TensorType type;
  uint8_t activation;
};
constexpr uint32_t kConvSlotCount = 3;

/// Checks operands and fills the parameters; `options` without the window's size.
Status PrepareConvolution(PrepareContext& context, ConvKind kind, WindowOptions options,
                          uint8_t activation);

/// Runs the rows of every tile.
Status RunConvolution(RunContext& context, ConvKind kind);

/// Fills `terms` for `count` output channels from `first` on: biases, and multipliers computed
/// exactly from the model's scales, so that no table of them is kept.
Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermS8* terms);
Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermS16* terms);
Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermF32* terms);

}  // namespace ota::engine
