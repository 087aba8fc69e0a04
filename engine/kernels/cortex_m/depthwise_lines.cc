// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/depthwise_lines.h"

#include <algorithm>

#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/line_pairs.h"

namespace ota::engine::dsp {
namespace {

constexpr uint32_t kChannels = 4;
constexpr uint32_t kLines = 3;

/// The scratch; its first word is the caller's. What rows share of the runs is filled in once. The
/// lines follow: kLines rows, of each the line of every channel.
struct Tile {
  uint32_t way;
  int32_t next_row;  ///< of the input, to be split next
  LinePairs channels[kChannels];
};
static_assert(sizeof(void*) != 4 || sizeof(Tile) == kDepthwiseLinesTileBytes);

Tile& TileOf(const ConvRows<ConvS8>& job) { return *reinterpret_cast<Tile*>(job.scratch); }

class Lines {
 public:
  explicit Lines(const ConvRows<ConvS8>& job)
      : job_(job),
        shape_(*job.shape),
        length_(DepthwiseLineTaps(shape_)),
        first_(reinterpret_cast<int16_t*>(job.scratch + sizeof(Tile))) {}

  uint32_t length() const { return length_; }

  /// Line of one channel for a row of the input, which may lie outside of the image.
  int16_t* Line(int32_t row, uint32_t channel) const {
    const auto slot = (static_cast<uint32_t>(row) + kLines) % kLines;
    return first_ + (slot * kChannels + channel) * length_;
  }

  /// Fills all of the lines with padding.
  void Clear() const {
    std::fill_n(first_, kLines * kChannels * length_,
                static_cast<int16_t>(job_.range.input_zero_point));
  }

  /// Splits a row of the input into its lines; the padding at both ends stays.
  void Split(int32_t row) const {
    if (row < 0 || row >= shape_.input_height) return ClearRow(row);
    const uint32_t step = shape_.input_channels;
    const int8_t* pixel =
        job_.input + job_.channel_begin + static_cast<uint32_t>(row) * shape_.input_width * step;
    int16_t* target = Line(row, 0) + shape_.padding_left;
    uint32_t count = std::min<uint32_t>(shape_.input_width, length_ - shape_.padding_left);
    if (shape_.padding_left % 2 != 0 && count != 0) {
      SplitPixel(pixel, target++);
      pixel += step;
      --count;
    }
    for (; count >= 2; count -= 2, target += 2, pixel += 2 * step) {
      SplitPair(LoadWord(pixel), LoadWord(pixel + step), target);
    }
    if (count != 0) SplitPixel(pixel, target);
  }

 private:
  void ClearRow(int32_t row) const {
    std::fill_n(Line(row, 0), kChannels * length_,
                static_cast<int16_t>(job_.range.input_zero_point));
  }

  void SplitPixel(const int8_t* pixel, int16_t* target) const {
    for (uint32_t channel = 0; channel < kChannels; ++channel) {
      target[channel * length_] = pixel[channel];
    }
  }

  void SplitPair(uint32_t pixel0, uint32_t pixel1, int16_t* target) const {
    const uint32_t even0 = WidenEven(pixel0), even1 = WidenEven(pixel1);
    const uint32_t odd0 = WidenOdd(pixel0), odd1 = WidenOdd(pixel1);
    StorePair(PackLow(even0, even1), target);
    StorePair(PackLow(odd0, odd1), target + length_);
    StorePair(PackHigh(even0, even1), target + 2 * length_);
    StorePair(PackHigh(odd0, odd1), target + 3 * length_);
  }

  static void StorePair(uint32_t pair, int16_t* target) { std::memcpy(target, &pair, sizeof pair); }

  const ConvRows<ConvS8>& job_;
  const WindowShape& shape_;
  const uint32_t length_;  ///< halves of a line, even
  int16_t* const first_;
};

void RunPairs(LinePairs& run, uint32_t stride) {
  stride == 1 ? ComputeLinePairsStride1(run) : ComputeLinePairsStride2(run);
}

/// The last pixel of an odd width, whose pair must not be stored.
void RunLast(LinePairs run, uint32_t stride, uint32_t column, int8_t* target) {
  int8_t results[2];
  for (const int16_t*& line : run.lines) line += column * stride;
  run.output = results;
  run.output_step = 1;
  run.output_end = results + 2;
  RunPairs(run, stride);
  *target = results[0];
}

/// One row of the output of all channels.
void ComputeRow(const ConvRows<ConvS8>& job, const Lines& lines, uint32_t row) {
  const WindowShape& shape = *job.shape;
  const int32_t origin = shape.InputRow(row);
  const int16_t* starts[kLines];
  for (uint32_t i = 0; i < kLines; ++i) {
    starts[i] = lines.Line(origin + static_cast<int32_t>(i), 0);
  }
  // Of an odd width the last pair spills over into the next row, which is computed later.
  const bool may_spill =
      row + 1u < shape.output_height && job.channel_count < shape.output_channels;
  const uint32_t width = shape.output_width;
  const uint32_t paired = (may_spill ? width + 1 : width) / 2 * 2;
  int8_t* output = job.output + job.channel_begin + row * width * shape.output_channels;
  for (LinePairs& run : TileOf(job).channels) {
    for (uint32_t i = 0; i < kLines; ++i) {
      run.lines[i] = starts[i];
      starts[i] += lines.length();
    }
    run.output = output;
    run.output_end = output + paired * shape.output_channels;
    if (paired != 0) RunPairs(run, shape.stride_width);
    if (paired < width) {
      RunLast(run, shape.stride_width, paired, output + paired * shape.output_channels);
    }
    ++output;
  }
}

/// Fills one channel's weights in the forms that the lines want; returns their sum.
int32_t FillWeights(const ConvRows<ConvS8>& job, uint32_t index, LinePairs& run) {
  int32_t sum = 0;
  const uint8_t* source = job.weights + index;
  for (uint32_t row = 0; row < kLines; ++row) {
    int32_t taps[3];
    for (int32_t& tap : taps) {
      tap = static_cast<int8_t>(*source);
      source += job.weight_stride;
      sum += tap;
    }
    run.weights[2 * row] = PackHalves(taps[0], taps[1]);
    run.weights[2 * row + 1] = PackHalves(taps[1], taps[2]);
  }
  return sum;
}

}  // namespace

bool BeginLines(const ConvRows<ConvS8>& job, const ChannelTermS8* terms) {
  Tile& tile = TileOf(job);
  constexpr int64_t kDotLimit = int64_t{9} * 255 * 128;
  for (uint32_t i = 0; i < kChannels; ++i) {
    LinePairs& run = tile.channels[i];
    const int32_t sum = FillWeights(job, i, run);
    const int64_t bias = int64_t{terms[i].bias} - job.range.input_zero_point * sum;
    const int64_t limit = (bias < 0 ? -bias : bias) + kDotLimit;
    if (!HasFastForm(terms[i].multiplier, limit, job.rounding)) return false;
    run.bias = static_cast<int32_t>(bias);
    run.term = MakeFastTerm(terms[i].multiplier, job.range.output_zero_point);
    run.output_step = job.shape->output_channels;
  }
  Lines(job).Clear();
  return true;
}

void ComputeLines(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  Tile& tile = TileOf(job);
  const Lines lines(job);
  if (job.row_begin == 0) tile.next_row = shape.InputRow(0);
  for (uint32_t i = 0; i < job.row_count; ++i) {
    const uint32_t row = job.row_begin + i;
    const int32_t needed = shape.InputRow(row) + static_cast<int32_t>(kLines);
    tile.next_row = std::max(tile.next_row, shape.InputRow(row));
    while (tile.next_row < needed) lines.Split(tile.next_row++);
    ComputeRow(job, lines, row);
  }
}

}  // namespace ota::engine::dsp
