// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "base/bytes.h"
#include "engine/kernels/conv.h"

// The seam of FULLY_CONNECTED: what a kernel is given. Types are those of convolutions.

namespace ota::engine {

/// Some output channels, of all pixels: every one is the dot product of its row of weights and the
/// pixel's inputs.
template <typename Types>
struct DenseRows {
  ResultRange range;
  RoundingMode rounding;
  const typename Types::Activation* input;
  typename Types::Activation* output;  ///< of the first channel and pixel
  const uint8_t* weights;              ///< `depth` for each channel, of any alignment
  const uint8_t* biases;               ///< one for each channel, of any alignment; null: none
  const Multiplier* multipliers;       ///< of float none
  uint32_t multiplier_step;            ///< 0: one for all channels; else 1
  uint32_t depth;
  uint32_t channel_count;
  uint32_t pixel_count;
  uint32_t output_step;  ///< elements from pixel to pixel

  typename Types::Term TermOf(uint32_t channel) const {
    typename Types::Term term{};
    if (biases != nullptr) {
      const uint8_t* const at = biases + channel * sizeof(term.bias);
      if constexpr (sizeof(term.bias) == 8) {
        term.bias = static_cast<int64_t>(LoadLe64(at));
      } else {
        term.bias = std::bit_cast<decltype(term.bias)>(LoadLe32(at));
      }
    }
    if constexpr (!std::is_same_v<Types, ConvF32>) {
      term.multiplier = multipliers[channel * multiplier_step];
    }
    return term;
  }
};

/// The definition.
template <typename Types>
void ReferenceDenseRows(const DenseRows<Types>& job);

/// The result of a sum of products.
template <typename Types>
typename Types::Activation FinishDense(typename Types::Accumulator sum, uint32_t channel,
                                       const DenseRows<Types>& job);

extern template void ReferenceDenseRows<ConvS8>(const DenseRows<ConvS8>& job);
extern template void ReferenceDenseRows<ConvS16>(const DenseRows<ConvS16>& job);
extern template void ReferenceDenseRows<ConvF32>(const DenseRows<ConvF32>& job);
extern template int8_t FinishDense<ConvS8>(int32_t, uint32_t, const DenseRows<ConvS8>&);
extern template int16_t FinishDense<ConvS16>(int64_t, uint32_t, const DenseRows<ConvS16>&);
extern template float FinishDense<ConvF32>(float, uint32_t, const DenseRows<ConvF32>&);

/// The int8 kernel of this target, chosen by the build: the same results.
void FullyConnectedS8(const DenseRows<ConvS8>& job);

}  // namespace ota::engine
