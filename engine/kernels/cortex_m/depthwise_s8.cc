// SPDX-License-Identifier: Apache-2.0
// DEPTHWISE_CONV_2D in int8 for cores with the DSP extension. A tile is four channels that lie side
// by side: one load brings a tap of all of them. Their weights are widened once into scratch. 3x3
// windows take another way (depthwise_lines.h). Of one input channel it is a CONV_2D, whose weights
// are brought into that order (quad_rows.h).
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/clamp_rows.h"
#include "engine/kernels/cortex_m/depthwise_lines.h"
#include "engine/kernels/cortex_m/fast_term.h"
#include "engine/kernels/cortex_m/quad_rows.h"

namespace ota::engine {
namespace {

constexpr uint32_t kTileChannels = kDepthwiseChannels;

/// Weights of one tap: channels 0 and 2, channels 1 and 3.
struct TapWeights {
  uint32_t even;
  uint32_t odd;
};

/// What BeginDepthwiseTileS8 leaves at the front of the scratch; TapWeights follow.
struct Tile {
  DepthwiseWay way;
  int32_t bias[kTileChannels];          ///< with the zero point folded in, for whole windows
  int32_t partial_bias[kTileChannels];  ///< without
  dsp::FastTerm terms[kTileChannels];
  uint32_t unused;
};
static_assert(sizeof(Tile) == kDepthwiseTileBytes && sizeof(TapWeights) == kDepthwiseTapBytes);

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width;
}

Tile& TileOf(const ConvRows<ConvS8>& job) { return *reinterpret_cast<Tile*>(job.scratch); }
TapWeights* WeightsOf(const ConvRows<ConvS8>& job) {
  return reinterpret_cast<TapWeights*>(job.scratch + sizeof(Tile));
}

struct Sums {
  int32_t of_channel[kTileChannels];

  void Add(uint32_t taps_even, uint32_t taps_odd, const TapWeights& weights) {
    of_channel[0] = dsp::MultiplyLowLow(taps_even, weights.even, of_channel[0]);
    of_channel[1] = dsp::MultiplyLowLow(taps_odd, weights.odd, of_channel[1]);
    of_channel[2] = dsp::MultiplyHighHigh(taps_even, weights.even, of_channel[2]);
    of_channel[3] = dsp::MultiplyHighHigh(taps_odd, weights.odd, of_channel[3]);
  }
};

/// Sums of a window of which every tap lies in the image.
void SumWhole(const WindowShape& shape, const int8_t* corner, uint32_t column_step,
              uint32_t row_step, const TapWeights* weights, Sums& sums) {
  for (uint32_t row = 0; row < shape.window_height; ++row) {
    const int8_t* at = corner;
    for (uint32_t column = 0; column < shape.window_width; ++column) {
      const uint32_t word = dsp::LoadWord(at);
      sums.Add(dsp::WidenEven(word), dsp::WidenOdd(word), *weights++);
      at += column_step;
    }
    corner += row_step;
  }
}

class TileRow {
 public:
  TileRow(const ConvRows<ConvS8>& job, uint32_t row)
      : job_(job),
        shape_(*job.shape),
        tile_(TileOf(job)),
        origin_(shape_.InputRow(row)),
        rows_(FindTaps(origin_, shape_.window_height, shape_.dilation_height, shape_.input_height)),
        row_bytes_(uint32_t{shape_.input_width} * shape_.input_channels),
        input_(job.input + job.channel_begin),
        output_(job.output + row * shape_.output_width * shape_.output_channels +
                job.channel_begin) {}

  void Compute() {
    const bool has_all_rows = rows_.begin == 0 && rows_.end == shape_.window_height;
    const int32_t reach = (shape_.window_width - 1) * shape_.dilation_width;
    for (uint32_t column = 0; column < shape_.output_width; ++column) {
      const int32_t x = shape_.InputColumn(column);
      const bool is_whole = has_all_rows && x >= 0 && x + reach < shape_.input_width;
      Store(is_whole ? ComputeWhole(x) : ComputePartial(x));
      output_ += shape_.output_channels;
    }
  }

 private:
  const int8_t* At(int32_t y, int32_t x) const {
    return input_ + y * static_cast<int32_t>(row_bytes_) + x * shape_.input_channels;
  }

  Sums ComputeWhole(int32_t x) const {
    Sums sums;
    std::memcpy(&sums, tile_.bias, sizeof sums);
    SumWhole(shape_, At(origin_, x), uint32_t{shape_.dilation_width} * shape_.input_channels,
             shape_.dilation_height * row_bytes_, WeightsOf(job_), sums);
    return sums;
  }

  Sums ComputePartial(int32_t x) const {
    const int32_t zero_point = job_.range.input_zero_point;
    const uint32_t zero_points = dsp::PackHalves(-zero_point, -zero_point);
    const TapRange columns =
        FindTaps(x, shape_.window_width, shape_.dilation_width, shape_.input_width);
    Sums sums;
    std::memcpy(&sums, tile_.partial_bias, sizeof sums);
    for (int32_t row = rows_.begin; row < rows_.end; ++row) {
      const TapWeights* weights = WeightsOf(job_) + row * shape_.window_width;
      for (int32_t column = columns.begin; column < columns.end; ++column) {
        const uint32_t word = dsp::LoadWord(
            At(origin_ + row * shape_.dilation_height, x + column * shape_.dilation_width));
        sums.Add(dsp::AddEven(zero_points, word), dsp::AddOdd(zero_points, word), weights[column]);
      }
    }
    return sums;
  }

  void Store(const Sums& sums) const {
    for (uint32_t i = 0; i < kTileChannels; ++i) {
      output_[i] = static_cast<int8_t>(dsp::RequantizeFast(sums.of_channel[i], tile_.terms[i]));
    }
  }

  const ConvRows<ConvS8>& job_;
  const WindowShape& shape_;
  const Tile& tile_;
  const int32_t origin_;
  const TapRange rows_;
  const uint32_t row_bytes_;
  const int8_t* input_;
  int8_t* output_;
};

/// Widens the weights of the tile; returns the sums by channel.
Sums WidenWeights(const ConvRows<ConvS8>& job) {
  constexpr TapWeights kOnes = {0x00010001, 0x00010001};
  Sums sums{};
  TapWeights* target = WeightsOf(job);
  const uint8_t* source = job.weights;
  for (uint32_t tap = 0; tap < TapCount(*job.shape); ++tap, source += job.weight_stride) {
    const uint32_t word = dsp::LoadWord(source);
    target[tap] = {dsp::WidenEven(word), dsp::WidenOdd(word)};
    sums.Add(target[tap].even, target[tap].odd, kOnes);
  }
  return sums;
}

/// Prepares a tile side by side. False: a channel needs another kernel.
bool BeginSideBySide(const ConvRows<ConvS8>& job, const ChannelTermS8* terms) {
  Tile& tile = TileOf(job);
  const Sums sums = WidenWeights(job);
  const int64_t dot_limit = int64_t{TapCount(*job.shape)} * 255 * 128;
  for (uint32_t i = 0; i < kTileChannels; ++i) {
    const int32_t bias = terms[i].bias;
    const int64_t limit = (bias < 0 ? -int64_t{bias} : bias) + 2 * dot_limit;
    if (!dsp::HasFastForm(terms[i].multiplier, limit, job.rounding)) return false;
    tile.partial_bias[i] = bias;
    tile.bias[i] = bias - job.range.input_zero_point * sums.of_channel[i];
    tile.terms[i] = dsp::MakeFastTerm(terms[i].multiplier, job.range.output_zero_point);
  }
  return true;
}

/// The weights by channel, each filled up to whole groups of four taps.
uint8_t* QuadWeights(const ConvRows<ConvS8>& job, const QuadLayout& layout) {
  return job.scratch + layout.scratch_bytes();
}

void BeginAsConvolution(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  const QuadLayout layout = DepthwiseQuadLayout(*job.shape);
  dsp::BeginQuads(job, layout, terms);
  const uint32_t channel_bytes = DepthwiseQuadChannelBytes(*job.shape);
  uint8_t* target = QuadWeights(job, layout);
  for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
    const uint8_t* source = job.weights + channel;
    for (uint32_t tap = 0; tap < channel_bytes; ++tap, source += job.weight_stride) {
      *target++ = tap < layout.tap_count ? *source : uint8_t{0};
    }
  }
}

void ComputeAsConvolution(const ConvRows<ConvS8>& job) {
  const QuadLayout layout = DepthwiseQuadLayout(*job.shape);
  dsp::ComputeQuadRows(job, layout, QuadWeights(job, layout),
                       DepthwiseQuadChannelBytes(*job.shape));
}

}  // namespace

void BeginDepthwiseTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  if (ChooseDepthwiseWay(*job.shape) == DepthwiseWay::kQuads) {
    return BeginAsConvolution(job, terms);
  }
  DepthwiseWay& way = TileOf(job).way;
  way = ChooseDepthwiseWay(*job.shape);
  if (way == DepthwiseWay::kReference || job.channel_count != kTileChannels) {
    way = DepthwiseWay::kReference;
    return;
  }
  const bool is_fast =
      way == DepthwiseWay::kLines ? dsp::BeginLines(job, terms) : BeginSideBySide(job, terms);
  if (!is_fast) way = DepthwiseWay::kReference;
}

void DepthwiseRowsS8(const ConvRows<ConvS8>& job) {
  const bool is_convolution = ChooseDepthwiseWay(*job.shape) == DepthwiseWay::kQuads;
  switch (is_convolution ? DepthwiseWay::kQuads : TileOf(job).way) {
    case DepthwiseWay::kReference:
      return ReferenceDepthwiseRows<ConvS8>(job);
    case DepthwiseWay::kQuads:
      ComputeAsConvolution(job);
      break;
    case DepthwiseWay::kSideBySide:
      for (uint32_t i = 0; i < job.row_count; ++i) TileRow(job, job.row_begin + i).Compute();
      break;
    case DepthwiseWay::kLines:
      dsp::ComputeLines(job);
      break;
  }
  dsp::ClampRows(job);
}

}  // namespace ota::engine
