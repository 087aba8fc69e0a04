// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "engine/kernels/conv.h"
#include "engine/kernels/host/tile_terms.h"
#include "engine/kernels/host/vectors.h"
#include "engine/kernels/host/windows.h"

namespace ota::engine {

namespace {

using host::kBlockChannelsMax;

/// Channels of a vector.
constexpr uint32_t kWidth = 8;
constexpr uint32_t kWeightsMax = 16384;

using Bytes = int8_t __attribute__((vector_size(kWidth)));
using Sums = int32_t __attribute__((vector_size(4 * kWidth)));

/// The taps of a window that lie in the image.
struct Window {
  const int8_t* corner;  ///< the input at the first of them
  const int32_t* weights;
  uint32_t height;
  uint32_t width;
  uint32_t line_step;  ///< elements of the input from tap to tap
  uint32_t column_step;
  uint32_t weight_line_step;
  uint32_t weight_step;
  int32_t zero_point;
};

// Sums of `kVectors` vectors of channels from `channel` on.
template <uint32_t kVectors>
OTA_VECTOR_PART void SumVectors(const Window& window, uint32_t channel, int32_t* sums) {
  Sums part[kVectors] = {};
  const int8_t* line = window.corner + channel;
  const int32_t* weight_line = window.weights + channel;
  for (uint32_t y = 0; y < window.height; ++y) {
    const int8_t* input = line;
    const int32_t* weights = weight_line;
    for (uint32_t x = 0; x < window.width; ++x) {
      for (uint32_t i = 0; i < kVectors; ++i) {
        Bytes bytes;
        Sums factors;
        std::memcpy(&bytes, input + i * kWidth, sizeof(bytes));
        std::memcpy(&factors, weights + i * kWidth, sizeof(factors));
        part[i] += (__builtin_convertvector(bytes, Sums) - window.zero_point) * factors;
      }
      input += window.column_step;
      weights += window.weight_step;
    }
    line += window.line_step;
    weight_line += window.weight_line_step;
  }
  for (uint32_t i = 0; i < kVectors; ++i) std::memcpy(sums + i * kWidth, &part[i], sizeof(Sums));
}

OTA_VECTOR_PART int32_t SumChannel(const Window& window, uint32_t channel) {
  int32_t sum = 0;
  for (uint32_t y = 0; y < window.height; ++y) {
    const int8_t* input = window.corner + channel + y * window.line_step;
    const int32_t* weights = window.weights + channel + y * window.weight_line_step;
    for (uint32_t x = 0; x < window.width; ++x) {
      sum += (input[x * window.column_step] - window.zero_point) * weights[x * window.weight_step];
    }
  }
  return sum;
}

OTA_VECTOR_PART void SumWindow(const Window& window, uint32_t channels, int32_t* sums) {
  uint32_t channel = 0;
  for (; channel + 4 * kWidth <= channels; channel += 4 * kWidth) {
    SumVectors<4>(window, channel, sums + channel);
  }
  for (; channel + kWidth <= channels; channel += kWidth) {
    SumVectors<1>(window, channel, sums + channel);
  }
  for (; channel < channels; ++channel) sums[channel] = SumChannel(window, channel);
}

OTA_VECTOR_PART Window PlaceWindow(const ConvRows<ConvS8>& job, const int32_t* weights, int32_t y,
                                   int32_t x) {
  const WindowShape& shape = *job.shape;
  const TapRange rows = FindTaps(y, shape.window_height, shape.dilation_height, shape.input_height);
  const TapRange columns = FindTaps(x, shape.window_width, shape.dilation_width, shape.input_width);
  const uint32_t depth = shape.input_channels;
  Window window{};
  if (rows.end <= rows.begin || columns.end <= columns.begin) return window;
  const int32_t first_y = y + rows.begin * shape.dilation_height;
  const int32_t first_x = x + columns.begin * shape.dilation_width;
  const auto pixel = static_cast<uint32_t>(first_y * shape.input_width + first_x);
  const auto tap = static_cast<uint32_t>(rows.begin * shape.window_width + columns.begin);
  window.corner = job.input + pixel * depth + job.channel_begin;
  window.weights = weights + tap * job.channel_count;
  window.height = static_cast<uint32_t>(rows.end - rows.begin);
  window.width = static_cast<uint32_t>(columns.end - columns.begin);
  window.line_step = uint32_t{shape.dilation_height} * shape.input_width * depth;
  window.column_step = shape.dilation_width * depth;
  window.weight_line_step = shape.window_width * job.channel_count;
  window.weight_step = job.channel_count;
  window.zero_point = job.range.input_zero_point;
  return window;
}

OTA_VECTOR_CLONES void SumPixels(const ConvRows<ConvS8>& job, const int32_t* weights, uint32_t row,
                                 uint32_t column, uint32_t count, int32_t* sums) {
  const int32_t y = job.shape->InputRow(row);
  for (uint32_t i = 0; i < count; ++i, sums += job.channel_count) {
    const Window window = PlaceWindow(job, weights, y, job.shape->InputColumn(column + i));
    SumWindow(window, job.channel_count, sums);
  }
}

void ComputeSideBySide(const ConvRows<ConvS8>& job, uint32_t taps) {
  const WindowShape& shape = *job.shape;
  alignas(64) int32_t weights[kWeightsMax];
  alignas(64) int32_t sums[host::kChunkElements];
  for (uint32_t tap = 0; tap < taps; ++tap) {
    const uint8_t* const from = job.weights + tap * job.weight_stride;
    int32_t* const to = weights + tap * job.channel_count;
    for (uint32_t i = 0; i < job.channel_count; ++i) to[i] = static_cast<int8_t>(from[i]);
  }
  const host::TileTerms terms(job, taps);
  for (uint32_t row = job.row_begin; row < job.row_begin + job.row_count; ++row) {
    for (uint32_t column = 0; column < shape.output_width; column += host::kChunkPixels) {
      const uint32_t count = std::min<uint32_t>(host::kChunkPixels, shape.output_width - column);
      SumPixels(job, weights, row, column, count, sums);
      terms.Store(sums, row * shape.output_width + column, count);
    }
  }
}

// Of one input channel, the windows are those of a CONV_2D, once weights lie as its do.
void ComputeAsConv(const ConvRows<ConvS8>& job, uint32_t taps) {
  alignas(64) int16_t weights[host::kWeightsMax];
  const uint32_t filled = host::FilledTaps(taps);
  std::fill(weights, weights + filled * job.channel_count, int16_t{0});
  for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
    for (uint32_t tap = 0; tap < taps; ++tap) {
      weights[channel * filled + tap] =
          static_cast<int8_t>(job.weights[tap * job.weight_stride + channel]);
    }
  }
  host::ComputeWindows(job, weights);
}

}  // namespace

void BeginDepthwiseTileS8(const ConvRows<ConvS8>&, ChannelTermS8*) {}

void DepthwiseRowsS8(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width;
  if (shape.input_channels == 1 && job.channel_count <= host::CountWindowChannels(taps)) {
    return ComputeAsConv(job, taps);
  }
  const bool fits =
      job.channel_count <= kBlockChannelsMax && taps * job.channel_count <= kWeightsMax;
  if (shape.input_channels != shape.output_channels || !fits) return ReferenceDepthwiseRows(job);
  ComputeSideBySide(job, taps);
}

}  // namespace ota::engine
