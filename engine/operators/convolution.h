// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "engine/kernels/conv.h"
#include "engine/operators/quantization.h"
#include "engine/operators/window.h"
#include "engine/run_context.h"

// What CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV share: operands, tiles of output channels,
// terms per channel.

namespace ota::engine {

enum class ConvKind : uint8_t { kFull, kDepthwise, kTransposed };

struct ConvParams {
  Slot input;
  Slot output;
  Slot scratch;  ///< terms of a tile, then weights of a tile or two if streamed, then the kernel's
  WindowShape shape;
  uint32_t weights_offset;  ///< in the file, as the others
  uint32_t bias_offset;     ///< 0: no bias
  uint32_t scales_offset;   ///< 0: one scale for all channels
  float input_scale;
  float weight_scale;
  float output_scale;
  int16_t input_zero_point;
  int16_t output_zero_point;
  QuantizedLimits limits;
  uint16_t tile_channels;  ///< or one of the constants below
  formats::TensorType type;
  uint8_t activation;
  uint32_t page_bytes;  ///< of a page of weights, 0 where a tile is not read as a page
};
constexpr uint32_t kConvSlotCount = 3;

/// In place of tile_channels: not even one channel's weights fit the page, so that they come in
/// parts; or weights come page by page and are taken by four channels at a time.
constexpr uint16_t kTilesAreParts = 0;
constexpr uint16_t kTilesAreQuads = 0xFFFF;

/// Limits of float only where Types are.
template <typename Types>
ResultRange MakeResultRange(const ConvParams& params) {
  FloatLimits floats = {};
  if constexpr (std::is_same_v<Types, ConvF32>) floats = ComputeFloatLimits(params.activation);
  return {params.input_zero_point, params.output_zero_point,
          params.limits.lowest,    params.limits.highest,
          floats.lowest,           floats.highest};
}

/// Rows of the output that make a unit of work, if so many channels are computed at once.
uint32_t CountUnitRows(const WindowShape& shape, uint32_t channel_count);

/// Checks operands and fills the parameters.
Status PrepareConvolution(PrepareContext& context, ConvKind kind);

/// Runs the rows of every tile. The second is for programs that link nothing but int8.
Status RunConvolution(RunContext& context, ConvKind kind);
Status RunConvolutionInt8(RunContext& context, ConvKind kind);

/// The same, if the weights of a channel come in parts. The scratch then holds sums of one channel,
/// then a page.
Status RunConvolutionInParts(RunContext& context);
Status RunConvolutionInPartsInt8(RunContext& context);

/// Plans streamed weights that go by quads of channels, and returns the bytes of scratch that
/// takes: a state, what the kernel keeps, and pages.
uint32_t PlanConvQuads(const PrepareContext& context, ConvParams& params);
Status RunConvolutionInQuads(RunContext& context);

/// Rows of the output whose sums are kept at a time, and the bytes of those sums. A channel's
/// weights are read once for so many rows.
struct ConvPartsPlan {
  uint32_t rows;
  uint32_t sum_bytes;
};
ConvPartsPlan PlanConvParts(const WindowShape& shape, uint32_t sum_bytes, uint32_t page_bytes);

/// Fills `terms` for `count` output channels from `first` on: biases, and multipliers computed
/// exactly from the model's scales, so that no table of them is kept.
Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermS8* terms);
Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermS16* terms);
Status LoadTerms(RunContext& context, const ConvParams& params, uint32_t first, uint32_t count,
                 ChannelTermF32* terms);

}  // namespace ota::engine
