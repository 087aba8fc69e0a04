// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"

// From the sums of a block of channels to its results, many at a time where that is exact.

namespace ota::engine::host {

/// Channels that a kernel takes at once, and pixels whose sums it keeps.
constexpr uint32_t kBlockChannelsMax = 256;
constexpr uint32_t kChunkPixels = 32;
constexpr uint32_t kLanes = 16;
/// Sums or results of a chunk, and what is touched behind them.
constexpr uint32_t kChunkElements = kChunkPixels * kBlockChannelsMax + kLanes;

/// The cheap form of each sum in a row of pixels, over and over.
class TileTerms {
 public:
  /// `taps`: products in a sum, which bound it. `job` must outlive the terms.
  TileTerms(const ConvRows<ConvS8>& job, uint32_t taps);

  /// Turns the sums of `pixel_count` pixels, without biases, into results, and puts them into the
  /// output from its pixel `first` on. `sums` has room for kChunkElements; those behind the last
  /// pixel are overwritten.
  void Store(int32_t* sums, uint32_t first, uint32_t pixel_count) const;

 private:
  static constexpr uint32_t kPeriodMax = 1024;

  void Requantize(const int32_t* sums, uint32_t pixel_count, int8_t* results) const;

  const ConvRows<ConvS8>& job_;
  uint32_t period_ = 0;  ///< a multiple of the channels and of kLanes; 0: one by one
  alignas(64) int32_t bias_[kPeriodMax];
  alignas(64) int32_t multiplier_[kPeriodMax];
  alignas(64) int32_t rounding_[kPeriodMax];
  alignas(64) int32_t shift_[kPeriodMax];
};

}  // namespace ota::engine::host
