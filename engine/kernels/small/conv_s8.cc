// SPDX-License-Identifier: Apache-2.0
// CONV_2D in int8 in little code: the windows of four pixels are widened into the scratch, whatever
// their shape, and then go through all channels.
#include <algorithm>

#include "base/bytes.h"
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/clamp_rows.h"
#include "engine/kernels/cortex_m/store_sums.h"
#include "engine/kernels/small/pixel_dots.h"

namespace ota::engine {
namespace {

/// What the scratch of a tile has room for, as halves.
constexpr uint32_t kWidenedTapsMax = 1024;

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
}

bool IsWidened(const WindowShape& shape) {
  return shape.window_channels == shape.input_channels && TapCount(shape) <= kWidenedTapsMax;
}

class PixelRun {
 public:
  explicit PixelRun(const ConvRows<ConvS8>& job)
      : job_(job),
        shape_(*job.shape),
        taps_(TapCount(shape_)),
        values_(reinterpret_cast<int16_t*>(job.scratch)) {}

  void Compute() {
    const uint32_t width = shape_.output_width;
    const uint32_t end = (job_.row_begin + job_.row_count) * width;
    for (uint32_t first = job_.row_begin * width; first < end; first += kDotPixels) {
      const uint32_t count = std::min(kDotPixels, end - first);
      for (uint32_t i = 0; i < count; ++i) Widen(first + i, i);
      int8_t* const output = job_.output + first * shape_.output_channels + job_.channel_begin;
      for (uint32_t channel = 0; channel < job_.channel_count;) {
        channel += ComputeChannels(channel, count, output + channel);
      }
    }
    dsp::ClampRows(job_);
  }

 private:
  /// The window of one pixel, less the zero point, filled up to whole groups with zeros.
  void Widen(uint32_t pixel, uint32_t index) {
    const int32_t y = shape_.InputRow(pixel / shape_.output_width);
    const int32_t x = shape_.InputColumn(pixel % shape_.output_width);
    tap_ = 0;
    index_ = index;
    const bool is_dense = shape_.dilation_width == 1;
    const uint32_t pieces = is_dense ? 1 : shape_.window_width;
    const int32_t columns = is_dense ? shape_.window_width : 1;
    for (uint32_t row = 0; row < shape_.window_height; ++row) {
      for (uint32_t piece = 0; piece < pieces; ++piece) {
        WidenPiece(y + static_cast<int32_t>(row * shape_.dilation_height),
                   x + static_cast<int32_t>(piece * shape_.dilation_width), columns);
      }
    }
    while (tap_ % 4 != 0) Store(0);
  }

  /// `columns` that lie together, from (y, x) on.
  void WidenPiece(int32_t y, int32_t x, int32_t columns) {
    const int32_t depth = shape_.input_channels;
    const int32_t width = static_cast<uint32_t>(y) < shape_.input_height ? shape_.input_width : 0;
    const int32_t begin = -x * depth, end = std::min(width - x, columns) * depth;
    const int8_t* const at = job_.input + (y * shape_.input_width + x) * depth;
    for (int32_t i = 0; i < columns * depth;) {
      if (tap_ % 4 == 0 && i >= begin && i + 4 <= end) {
        const int32_t taps = (end - i) / 4 * 4;
        StoreGroups(at + i, at + i + taps);
        i += taps;
      } else {
        Store(i >= begin && i < end ? at[i] - job_.range.input_zero_point : 0);
        ++i;
      }
    }
  }

  void Store(int32_t value) { values_[DotHalfIndex(tap_++, index_)] = static_cast<int16_t>(value); }

  void StoreGroups(const int8_t* at, const int8_t* end) {
    const int32_t zero_point = -job_.range.input_zero_point;
    const uint32_t zero_points = dsp::PackHalves(zero_point, zero_point);
    auto* target = reinterpret_cast<uint32_t*>(values_ + DotHalfIndex(tap_, index_));
    tap_ += static_cast<uint32_t>(end - at);
    for (; at != end; at += 4, target += kDotGroupHalves / 2) {
      const uint32_t word = dsp::LoadWord(at);
      target[0] = dsp::AddEven(zero_points, word);
      target[kDotGroupHalves / 4] = dsp::AddOdd(zero_points, word);
    }
  }

  /// From `channel` on those in the cheap form, or one; returns how many.
  uint32_t ComputeChannels(uint32_t channel, uint32_t count, int8_t* output) const {
    uint32_t end = channel;
    while (count == kDotPixels && end < job_.channel_count &&
           dsp::FormOf(job_.terms[end]) == dsp::QuadForm::kFast) {
      ++end;
    }
    if (end == channel) {
      ComputeChannel(channel, count, output);
      return 1;
    }
    dsp::PixelQuads run;
    run.values = reinterpret_cast<const uint32_t*>(values_);
    run.group_count = taps_ / 4;
    run.weights = job_.weights + channel * taps_;
    run.rest = taps_ % 4;
    run.terms = job_.terms + channel;
    run.rounding_unit = 2 * job_.range.output_zero_point + 1;
    run.output = output;
    run.output_step = shape_.output_channels;
    run.output_end = output + (end - channel);
    ComputePixelDots(run);
    return end - channel;
  }

  void ComputeChannel(uint32_t channel, uint32_t count, int8_t* output) const {
    const ChannelTermS8& term = job_.terms[channel];
    int32_t sums[kDotPixels] = {term.bias, term.bias, term.bias, term.bias};
    if (dsp::FormOf(term) != dsp::QuadForm::kConstant) {
      AddTaps(job_.weights + channel * taps_, sums);
    }
    dsp::StoreSums(job_, {sums, count, &term, 0, output, shape_.output_channels});
  }

  void AddTaps(const uint8_t* weights, int32_t* sums) const {
    const uint32_t whole = taps_ / 4 * 4;
    if (whole != 0) AddPixelDots(values_, weights, whole / 4, sums);
    if (whole == taps_) return;
    uint8_t rest[4] = {};
    std::copy_n(weights + whole, taps_ - whole, rest);
    AddPixelDots(values_ + DotHalfIndex(whole, 0), rest, 1, sums);
  }

  const ConvRows<ConvS8>& job_;
  const WindowShape& shape_;
  const uint32_t taps_;
  int16_t* const values_;
  uint32_t tap_ = 0;
  uint32_t index_ = 0;
};

}  // namespace

void BeginConvTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  if (!IsWidened(*job.shape)) return;
  dsp::BeginQuadTerms(job, TapCount(*job.shape), job.channel_count, terms);
}

void ConvRowsS8(const ConvRows<ConvS8>& job) {
  IsWidened(*job.shape) ? PixelRun(job).Compute() : ReferenceConvRows(job);
}

bool BeginQuadTermS8(const ConvRows<ConvS8>& job, ChannelTermS8& term) {
  dsp::BeginQuadTerms(job, TapCount(*job.shape), 1, &term);
  return true;  // so that the channels of a quad lie together
}

// Weights as the model has them, by channel; the windows behind them.
void FillQuadS8(const ConvRows<ConvS8>& job, ChannelQuadS8&, uint32_t index, uint32_t first,
                uint32_t count, const uint8_t* weights) {
  std::copy_n(weights, count, job.scratch + index * TapCount(*job.shape) + first);
}

void QuadRowsS8(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad) {
  const uint32_t taps = TapCount(*job.shape);
  ConvRows<ConvS8> channel = job;
  channel.scratch += kQuadChannels * taps;
  channel.weights = job.scratch;
  channel.terms = quad.terms;
  channel.channel_count = quad.count;
  channel.channel_begin = quad.channels[0];
  PixelRun(channel).Compute();
}

}  // namespace ota::engine
