// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "engine/kernels/requantize.h"
#include "engine/kernels/shape.h"

// The seam of convolutions: what a kernel is given. Operators cut a convolution into tiles of
// output channels, whose weights are in memory together, and rows of the output; a kernel computes
// one row of one tile. FULLY_CONNECTED has kernels of its own (dense.h).

namespace ota::engine {

/// What turns the accumulator of an output channel into its result.
struct ChannelTermS8 {
  int32_t bias;
  Multiplier multiplier;
};
struct ChannelTermS16 {
  int64_t bias;
  Multiplier multiplier;
};
struct ChannelTermF32 {
  float bias;
};

/// Limits and zero points of quantized results; those of float only limits.
struct ResultRange {
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t lowest;
  int32_t highest;
  float lowest_float;
  float highest_float;
};

/// Types of a convolution by its activations. `Weight` says how weights lie in the model.
struct ConvS8 {
  using Activation = int8_t;
  using Weight = int8_t;
  using Accumulator = int32_t;
  using Term = ChannelTermS8;
};
struct ConvS16 {
  using Activation = int16_t;
  using Weight = int8_t;
  using Accumulator = int64_t;
  using Term = ChannelTermS16;
};
struct ConvF32 {
  using Activation = float;
  using Weight = float;
  using Accumulator = float;
  using Term = ChannelTermF32;
};

/// Some rows of one tile. `weights` and `terms` begin with the tile's first output channel; three
/// bytes before the weights can be read, since their length is before them. Weights lie as in the
/// model: of CONV_2D per output channel height, width, input channels; of
/// DEPTHWISE_CONV_2D height, width, channels, with `weight_stride` elements from tap to tap.
template <typename Types>
struct ConvRows {
  const WindowShape* shape;
  ResultRange range;
  RoundingMode rounding;
  const typename Types::Activation* input;  ///< of the batch
  typename Types::Activation* output;       ///< of the batch
  const uint8_t* weights;                   ///< Types::Weight, of any alignment
  const typename Types::Term* terms;
  uint32_t weight_stride;
  uint32_t row_begin;
  uint32_t row_count;
  uint32_t channel_begin;  ///< the tile's output channels
  uint32_t channel_count;
  uint8_t* scratch;  ///< as many bytes as the kernel asked for, aligned to 8
};

// The reference kernels: plain loops, which define the result.
template <typename Types>
void ReferenceConvRows(const ConvRows<Types>& job);
template <typename Types>
void ReferenceDepthwiseRows(const ConvRows<Types>& job);
/// TRANSPOSE_CONV, by gathering: each output pixel sums the inputs whose windows cover it.
template <typename Types>
void ReferenceTransposedRows(const ConvRows<Types>& job);

extern template void ReferenceConvRows<ConvS8>(const ConvRows<ConvS8>& job);
extern template void ReferenceConvRows<ConvS16>(const ConvRows<ConvS16>& job);
extern template void ReferenceConvRows<ConvF32>(const ConvRows<ConvF32>& job);
extern template void ReferenceDepthwiseRows<ConvS8>(const ConvRows<ConvS8>& job);
extern template void ReferenceDepthwiseRows<ConvS16>(const ConvRows<ConvS16>& job);
extern template void ReferenceDepthwiseRows<ConvF32>(const ConvRows<ConvF32>& job);
extern template void ReferenceTransposedRows<ConvS8>(const ConvRows<ConvS8>& job);
extern template void ReferenceTransposedRows<ConvS16>(const ConvRows<ConvS16>& job);
extern template void ReferenceTransposedRows<ConvF32>(const ConvRows<ConvF32>& job);

/// `sum` plus `count` products of inputs and weights; and the result of a sum.
template <typename Types>
typename Types::Accumulator ReferenceAccumulate(typename Types::Accumulator sum,
                                                const typename Types::Activation* input,
                                                const uint8_t* weights, uint32_t count,
                                                const ResultRange& range);
template <typename Types>
typename Types::Activation ReferenceFinish(typename Types::Accumulator sum,
                                           const typename Types::Term& term,
                                           const ResultRange& range, RoundingMode rounding);

extern template int32_t ReferenceAccumulate<ConvS8>(int32_t, const int8_t*, const uint8_t*,
                                                    uint32_t, const ResultRange&);
extern template int64_t ReferenceAccumulate<ConvS16>(int64_t, const int16_t*, const uint8_t*,
                                                     uint32_t, const ResultRange&);
extern template float ReferenceAccumulate<ConvF32>(float, const float*, const uint8_t*, uint32_t,
                                                   const ResultRange&);
template <>
int8_t ReferenceFinish<ConvS8>(int32_t, const ChannelTermS8&, const ResultRange&, RoundingMode);
template <>
int16_t ReferenceFinish<ConvS16>(int64_t, const ChannelTermS16&, const ResultRange&, RoundingMode);
template <>
float ReferenceFinish<ConvF32>(float, const ChannelTermF32&, const ResultRange&, RoundingMode);

// The int8 kernels of this target: portable ones or those for a core, chosen by the build. Each has
// the result of its reference kernel, bit for bit.

/// Channels that the kernels take at once if they can: at least a tile. And where a mapped operator
/// may then keep their terms, as long as it is called; empty where kernels have no memory but the
/// scratch: there a block is a tile.
uint32_t ConvBlockChannelsS8(const WindowShape& shape);
uint32_t DepthwiseBlockChannelsS8(const WindowShape& shape);
std::span<ChannelTermS8> BlockTermsS8();

/// Is called once per tile after its terms are set, before its rows; may fold sums of weights into
/// the biases, and widen weights into the scratch. The rows of `job` mean nothing. A tile has at
/// most as many channels, and the scratch as many bytes, as conv_layout.h says.
void BeginConvTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms);
void ConvRowsS8(const ConvRows<ConvS8>& job);

/// Output channels of a CONV_2D whose weights are streamed: a kernel takes the weights of a few
/// channels piece by piece, keeps them in its own form in the scratch, and computes all rows before
/// the next ones. For shapes with IsForChannelQuads; the scratch has ChannelQuadScratchBytes.
constexpr uint32_t kQuadChannels = 4;
struct ChannelQuadS8 {
  uint32_t count;  ///< of channels that are there
  uint32_t channels[kQuadChannels];
  ChannelTermS8 terms[kQuadChannels];
};

/// Brings a term into the kernel's form. False: all of the channel's results are `term.bias`, and
/// its weights do not matter.
bool BeginQuadTermS8(const ConvRows<ConvS8>& job, ChannelTermS8& term);
/// Takes weights [first, first + count) of the quad's channel `index`, whose term was begun; both
/// are multiples of four. All weights of all channels, in their order, before any row.
void FillQuadS8(const ConvRows<ConvS8>& job, ChannelQuadS8& quad, uint32_t index, uint32_t first,
                uint32_t count, const uint8_t* weights);
/// Computes rows of all channels that are there, one at least. Weights and terms of `job` mean
/// nothing.
void QuadRowsS8(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad);

void BeginDepthwiseTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms);
void DepthwiseRowsS8(const ConvRows<ConvS8>& job);

}  // namespace ota::engine
