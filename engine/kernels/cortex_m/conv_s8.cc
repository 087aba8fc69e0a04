// SPDX-License-Identifier: Apache-2.0
// CONV_2D in int8 for cores with the DSP extension. The weights of a tile of output channels are
// widened once into scratch, then every pair of pixels runs through them, two channels at a time
// (pixel_pairs.h). There are two ways to bring the pixels:
//  - Where rows of a window are long, the input is read where it lies, and a tile is two channels.
//    Only pixels whose window leaves the image at the left or right, or whose last load would leave
//    the tensor, are first copied, padding filled in. At the top and the bottom the missing rows of
//    the window are left out, and the sums of their weights, which are folded into the bias, are
//    put back.
//  - Where rows are short, some pixels' windows are gathered, padding filled in, and used for all
//    channels of the tile.
#include <algorithm>

#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/pixel_pairs.h"

namespace ota::engine {
namespace {

using dsp::PixelPairs;

constexpr uint32_t kGroupWords = kTapGroupBytes / sizeof(uint32_t);

/// What BeginConvTileS8 leaves at the front of the scratch.
struct Tile {
  ConvWay way;
  uint32_t unused;
};

/// Two output channels.
struct ChannelPair {
  int32_t bias[2];
  dsp::FastTerm terms[2];
};

/// Of one row of the window: zero point * sum of its weights, by channel.
struct RowTerms {
  int32_t of_channel[2];
};
static_assert(sizeof(Tile) == 8 && sizeof(ChannelPair) == 32 && sizeof(RowTerms) == 8);

uint32_t RowTaps(const WindowShape& shape) { return ConvLayoutS8::RowTaps(shape); }

/// The parts of the scratch.
struct Scratch {
  ConvLayoutS8 layout;
  Tile& tile;
  ChannelPair* pairs;
  RowTerms* row_terms;
  uint32_t* weights;
  int8_t* copies;

  explicit Scratch(const ConvRows<ConvS8>& job)
      : layout(*job.shape), tile(*reinterpret_cast<Tile*>(job.scratch)) {
    uint8_t* at = job.scratch + sizeof(Tile);
    pairs = reinterpret_cast<ChannelPair*>(at);
    at += layout.pair_count * sizeof(ChannelPair);
    row_terms = reinterpret_cast<RowTerms*>(at);
    if (layout.way == ConvWay::kInPlace) {
      at += layout.pair_count * job.shape->window_height * sizeof(RowTerms);
    }
    weights = reinterpret_cast<uint32_t*>(at);
    at += layout.pair_count * layout.pair_weight_bytes();
    copies = reinterpret_cast<int8_t*>(at);
  }
};

/// Widens taps that lie together to where their groups belong; returns their sum.
int32_t WidenTaps(const uint8_t* weights, uint32_t count, uint32_t* target) {
  constexpr uint32_t kOnes = 0x00010001;
  int32_t sum = 0;
  for (; count >= 4; count -= 4, weights += 4, target += kGroupWords) {
    const uint32_t word = dsp::LoadWord(weights);
    target[0] = dsp::WidenEven(word);
    target[1] = dsp::WidenOdd(word);
    sum = dsp::MultiplyPairs(target[0], kOnes, dsp::MultiplyPairs(target[1], kOnes, sum));
  }
  if (count == 0) return sum;
  uint8_t rest[4] = {};
  for (uint32_t i = 0; i < count; ++i) rest[i] = weights[i];
  target[0] = dsp::WidenEven(dsp::LoadWord(rest));
  target[1] = dsp::WidenOdd(dsp::LoadWord(rest));
  return dsp::MultiplyPairs(target[0], kOnes, dsp::MultiplyPairs(target[1], kOnes, sum));
}

/// Widens the weights of channel `source` as number `index` of a pair; returns zero point * sum.
int32_t WidenChannel(const ConvRows<ConvS8>& job, const Scratch& scratch, uint32_t source,
                     uint32_t pair, uint32_t index) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = RowTaps(shape) * shape.window_height;
  const uint8_t* weights = job.weights + source * taps;
  uint32_t* target = scratch.weights + pair * scratch.layout.groups * kGroupWords + 2 * index;
  const int32_t zero_point = job.range.input_zero_point;
  if (scratch.layout.way == ConvWay::kGather) return zero_point * WidenTaps(weights, taps, target);
  int32_t sum = 0;
  for (uint32_t row = 0; row < shape.window_height; ++row) {
    const int32_t term = zero_point * WidenTaps(weights, RowTaps(shape), target);
    scratch.row_terms[pair * shape.window_height + row].of_channel[index] = term;
    sum += term;
    weights += RowTaps(shape);
    target += scratch.layout.group_count * kGroupWords;
  }
  return sum;
}

int8_t* CopyBytes(const int8_t* source, uint32_t count, int8_t* target) {
  for (; count >= 4; count -= 4, source += 4, target += 4) {
    const uint32_t word = dsp::LoadWord(source);
    std::memcpy(target, &word, sizeof word);
  }
  for (; count != 0; --count) *target++ = *source++;
  return target;
}

int8_t* FillBytes(int32_t value, uint32_t count, int8_t* target) {
  for (; count != 0; --count) *target++ = static_cast<int8_t>(value);
  return target;
}

/// The taps of one pixel's windows that lie in the image, in bytes of a row.
struct RowPart {
  uint32_t before;  ///< bytes of padding
  uint32_t inside;
  int32_t offset;  ///< of the first byte inside, in the image's row

  RowPart(const WindowShape& shape, uint32_t column) {
    const int32_t x = shape.InputColumn(column);
    const TapRange taps = FindTaps(x, shape.window_width, 1, shape.input_width);
    before = static_cast<uint32_t>(taps.begin) * shape.input_channels;
    inside = static_cast<uint32_t>(taps.end - taps.begin) * shape.input_channels;
    offset = (x + taps.begin) * shape.input_channels;
  }
};

void FillRun(const ChannelPair& pair, PixelPairs& run) {
  for (uint32_t index = 0; index < 2; ++index) {
    run.bias[index] = pair.bias[index];
    run.terms[index] = pair.terms[index];
  }
}

/// One row of the output of a pair of channels, read in place.
class InPlaceRow {
 public:
  InPlaceRow(const ConvRows<ConvS8>& job, const Scratch& scratch, uint32_t row, uint32_t pair)
      : job_(job),
        shape_(*job.shape),
        scratch_(scratch),
        pitch_(uint32_t{shape_.input_width} * shape_.input_channels * shape_.dilation_height),
        output_(job.output + row * shape_.output_width * shape_.output_channels +
                job.channel_begin + 2 * pair),
        has_both_(2 * pair + 1 < job.channel_count) {
    const uint32_t row_bytes = uint32_t{shape_.input_width} * shape_.input_channels;
    const int32_t origin = shape_.InputRow(row);
    const TapRange rows =
        FindTaps(origin, shape_.window_height, shape_.dilation_height, shape_.input_height);
    input_ = job.input +
             (origin + rows.begin * shape_.dilation_height) * static_cast<int32_t>(row_bytes);
    input_end_ = job.input + shape_.input_height * row_bytes;
    run_.group_count = scratch.layout.group_count;
    run_.row_count = static_cast<uint32_t>(rows.end - rows.begin);
    run_.weights = scratch.weights + (pair * scratch.layout.groups +
                                      static_cast<uint32_t>(rows.begin) * run_.group_count) *
                                         kGroupWords;
    FillRun(scratch.pairs[pair], run_);
    const RowTerms* const row_terms = scratch.row_terms + pair * shape_.window_height;
    for (int32_t tap = 0; tap < shape_.window_height; ++tap) {
      if (tap >= rows.begin && tap < rows.end) continue;
      run_.bias[0] += row_terms[tap].of_channel[0];
      run_.bias[1] += row_terms[tap].of_channel[1];
    }
  }

  void Compute() {
    uint32_t begin = 0;
    while (begin < shape_.output_width && !IsInPlace(begin)) CopyPixel(begin++);
    uint32_t end = shape_.output_width;
    while (end > begin && !IsInPlace(end - 1)) --end;
    const uint32_t in_place = has_both_ ? (end - begin) / 2 * 2 : 0;
    if (in_place != 0) RunInPlace(begin, in_place);
    for (uint32_t column = begin + in_place; column < shape_.output_width; ++column) {
      CopyPixel(column);
    }
    RunCopies();
  }

 private:
  bool IsInPlace(uint32_t column) const {
    const int32_t x = shape_.InputColumn(column);
    if (x < 0 || x + shape_.window_width > shape_.input_width) return false;
    const int8_t* const last = input_ + (run_.row_count - 1) * pitch_ + x * shape_.input_channels;
    return input_end_ - last >= static_cast<int32_t>(run_.group_count * 4);
  }

  void RunInPlace(uint32_t begin, uint32_t count) {
    run_.pixel = input_ + shape_.InputColumn(begin) * shape_.input_channels;
    run_.pixel_step = shape_.stride_width * shape_.input_channels;
    run_.row_step = pitch_ - run_.group_count * 4;
    run_.output = output_ + begin * shape_.output_channels;
    run_.output_step = shape_.output_channels;
    run_.output_end = run_.output + count * shape_.output_channels;
    dsp::ComputePixelPairs(run_);
  }

  /// Copies the rows of a window that lie in the image, each filled to whole groups.
  void CopyPixel(uint32_t column) {
    const RowPart part(shape_, column);
    const uint32_t row_bytes = run_.group_count * 4;
    const int32_t zero_point = job_.range.input_zero_point;
    const int8_t* source = input_ + part.offset;
    int8_t* target = scratch_.copies + copy_count_ * scratch_.layout.groups * 4;
    for (uint32_t row = 0; row < run_.row_count; ++row) {
      FillBytes(zero_point, part.before, target);
      CopyBytes(source, part.inside, target + part.before);
      FillBytes(zero_point, row_bytes - part.before - part.inside,
                target + part.before + part.inside);
      source += pitch_;
      target += row_bytes;
    }
    columns_[copy_count_++] = column;
    if (copy_count_ == 2) RunCopies();
  }

  void RunCopies() {
    if (copy_count_ == 0) return;
    int8_t results[2][2];
    run_.pixel = scratch_.copies;
    run_.pixel_step = static_cast<int32_t>(scratch_.layout.groups * 4);
    run_.row_step = 0;
    run_.output = results[0];
    run_.output_step = 2;
    run_.output_end = results[0] + sizeof results;
    dsp::ComputePixelPairs(run_);
    for (uint32_t i = 0; i < copy_count_; ++i) {
      int8_t* const target = output_ + columns_[i] * shape_.output_channels;
      target[0] = results[i][0];
      if (has_both_) target[1] = results[i][1];
    }
    copy_count_ = 0;
  }

  const ConvRows<ConvS8>& job_;
  const WindowShape& shape_;
  const Scratch& scratch_;
  const uint32_t pitch_;     ///< bytes from row to row of a window
  const int8_t* input_;      ///< first row of the window that lies in the image
  const int8_t* input_end_;  ///< no load may go beyond
  int8_t* output_;
  const bool has_both_;  ///< or the pair is one channel, the last
  PixelPairs run_{};
  uint32_t copy_count_ = 0;
  uint32_t columns_[2] = {};
};

/// Rows of the output of a tile, from gathered windows. Windows are gathered in the order of the
/// pixels, over the ends of rows.
class GatheredRows {
 public:
  GatheredRows(const ConvRows<ConvS8>& job, const Scratch& scratch)
      : job_(job), shape_(*job.shape), scratch_(scratch) {
    run_.group_count = scratch.layout.groups;
    run_.row_count = 1;
    run_.pixel_step = static_cast<int32_t>(scratch.layout.groups * 4);
  }

  void Compute() {
    output_ = job_.output + job_.channel_begin +
              job_.row_begin * shape_.output_width * shape_.output_channels;
    for (uint32_t row = 0; row < job_.row_count; ++row) GatherRow(job_.row_begin + row);
    RunGathered();
  }

 private:
  void GatherRow(uint32_t row) {
    const int32_t origin = shape_.InputRow(row);
    const TapRange rows =
        FindTaps(origin, shape_.window_height, shape_.dilation_height, shape_.input_height);
    for (uint32_t column = 0; column < shape_.output_width; ++column) {
      GatherPixel(origin, rows, column);
      if (++count_ == scratch_.layout.copies) RunGathered();
    }
  }

  void GatherPixel(int32_t origin, const TapRange& rows, uint32_t column) {
    const RowPart part(shape_, column);
    const uint32_t taps = RowTaps(shape_);
    const uint32_t row_bytes = uint32_t{shape_.input_width} * shape_.input_channels;
    const int32_t zero_point = job_.range.input_zero_point;
    const int8_t* source =
        job_.input +
        (origin + rows.begin * shape_.dilation_height) * static_cast<int32_t>(row_bytes) +
        part.offset;
    int8_t* target = scratch_.copies + count_ * scratch_.layout.groups * 4;
    target = FillBytes(zero_point, static_cast<uint32_t>(rows.begin) * taps, target);
    const bool is_whole = part.inside == taps;
    for (int32_t row = rows.begin; row < rows.end; ++row) {
      if (is_whole) {
        target = CopyBytes(source, taps, target);
        source += row_bytes * shape_.dilation_height;
        continue;
      }
      target = FillBytes(zero_point, part.before, target);
      target = CopyBytes(source, part.inside, target);
      target = FillBytes(zero_point, taps - part.before - part.inside, target);
      source += row_bytes * shape_.dilation_height;
    }
    FillBytes(zero_point, static_cast<uint32_t>(shape_.window_height - rows.end) * taps, target);
  }

  /// Runs the gathered pixels through all channels of the tile.
  void RunGathered() {
    for (uint32_t channel = 0; channel < job_.channel_count; channel += 2) {
      FillRun(scratch_.pairs[channel / 2], run_);
      run_.weights = scratch_.weights + channel / 2 * scratch_.layout.groups * kGroupWords;
      const uint32_t direct = channel + 1 < job_.channel_count ? count_ / 2 * 2 : 0;
      if (direct != 0) RunDirect(channel, direct);
      for (uint32_t pixel = direct; pixel < count_; ++pixel) RunOne(channel, pixel);
    }
    output_ += count_ * shape_.output_channels;
    count_ = 0;
  }

  void RunDirect(uint32_t channel, uint32_t count) {
    run_.pixel = scratch_.copies;
    run_.output = output_ + channel;
    run_.output_step = shape_.output_channels;
    run_.output_end = run_.output + count * shape_.output_channels;
    dsp::ComputePixelPairs(run_);
  }

  void RunOne(uint32_t channel, uint32_t pixel) {
    int8_t results[2][2];
    run_.pixel = scratch_.copies + pixel * scratch_.layout.groups * 4;
    run_.pixel_step = 0;
    run_.output = results[0];
    run_.output_step = 2;
    run_.output_end = results[0] + sizeof results;
    dsp::ComputePixelPairs(run_);
    run_.pixel_step = static_cast<int32_t>(scratch_.layout.groups * 4);
    int8_t* const target = output_ + pixel * shape_.output_channels + channel;
    target[0] = results[0][0];
    if (channel + 1 < job_.channel_count) target[1] = results[0][1];
  }

  const ConvRows<ConvS8>& job_;
  const WindowShape& shape_;
  const Scratch& scratch_;
  PixelPairs run_{};
  int8_t* output_ = nullptr;  ///< of the first gathered pixel
  uint32_t count_ = 0;
};

/// Applies the limits of an activation that are narrower than int8.
void ClampRows(const ConvRows<ConvS8>& job) {
  if (job.range.lowest <= INT8_MIN && job.range.highest >= INT8_MAX) return;
  const WindowShape& shape = *job.shape;
  const uint32_t pixels = job.row_count * shape.output_width;
  int8_t* pixel =
      job.output + job.channel_begin + job.row_begin * shape.output_width * shape.output_channels;
  for (uint32_t i = 0; i < pixels; ++i, pixel += shape.output_channels) {
    for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
      pixel[channel] = static_cast<int8_t>(
          std::clamp<int32_t>(pixel[channel], job.range.lowest, job.range.highest));
    }
  }
}

int32_t Finish(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int64_t sum) {
  const int32_t scaled = Requantize(static_cast<int32_t>(sum), term.multiplier, job.rounding);
  return std::clamp(WrappingAdd(scaled, job.range.output_zero_point), job.range.lowest,
                    job.range.highest);
}

/// Whether a channel has the same result for all sums from `lowest` to `highest`, as one has whose
/// scale is tiny, or whose bias lies far beyond its limits; then its weights do not matter.
bool IsConstant(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int64_t lowest,
                int64_t highest) {
  if (lowest < INT32_MIN || highest > INT32_MAX || term.multiplier.shift > 0) return false;
  return Finish(job, term, lowest) == Finish(job, term, highest);
}

/// Makes a channel's result `value` for every input.
void FillConstant(const Scratch& scratch, uint32_t channel, int32_t value) {
  uint32_t* target =
      scratch.weights + channel / 2 * scratch.layout.groups * kGroupWords + 2 * (channel % 2);
  for (uint32_t group = 0; group < scratch.layout.groups; ++group, target += kGroupWords) {
    target[0] = target[1] = 0;
  }
  ChannelPair& pair = scratch.pairs[channel / 2];
  pair.bias[channel % 2] = 0;
  pair.terms[channel % 2] = dsp::MakeFastTerm({1 << 30, -1}, value);
}

/// Fills the terms of one channel. False: its sums could leave the range of the cheap form.
bool BeginChannel(const ConvRows<ConvS8>& job, const Scratch& scratch, const ChannelTermS8& term,
                  uint32_t source, uint32_t channel) {
  ChannelPair& pair = scratch.pairs[channel / 2];
  const uint32_t index = channel % 2;
  const int64_t bias = int64_t{term.bias} - WidenChannel(job, scratch, source, channel / 2, index);
  const int64_t dot_limit = int64_t{scratch.layout.groups} * 4 * 128 * 128;
  const int64_t limit = (bias < 0 ? -bias : bias) + 2 * dot_limit;
  if (!dsp::HasFastForm(term.multiplier, limit, job.rounding)) {
    if (!IsConstant(job, term, bias - 2 * dot_limit, bias + 2 * dot_limit)) return false;
    FillConstant(scratch, channel, Finish(job, term, bias));
    for (uint32_t row = 0;
         scratch.layout.way == ConvWay::kInPlace && row < job.shape->window_height; ++row) {
      scratch.row_terms[channel / 2 * job.shape->window_height + row].of_channel[index] = 0;
    }
    return true;
  }
  pair.bias[index] = static_cast<int32_t>(bias);
  pair.terms[index] = dsp::MakeFastTerm(term.multiplier, job.range.output_zero_point);
  return true;
}

}  // namespace

void BeginConvTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  const Scratch scratch(job);
  scratch.tile.way = scratch.layout.way;
  if (scratch.layout.way == ConvWay::kReference) return;
  const uint32_t even_count = (job.channel_count + 1) / 2 * 2;
  for (uint32_t channel = 0; channel < even_count; ++channel) {
    const uint32_t source = std::min(channel, job.channel_count - 1);
    if (BeginChannel(job, scratch, terms[source], source, channel)) continue;
    scratch.tile.way = ConvWay::kReference;
    return;
  }
}

void ConvRowsS8(const ConvRows<ConvS8>& job) {
  const Scratch scratch(job);
  if (scratch.tile.way == ConvWay::kReference) return ReferenceConvRows<ConvS8>(job);
  if (scratch.tile.way == ConvWay::kGather) {
    GatheredRows(job, scratch).Compute();
  } else {
    for (uint32_t row = 0; row < job.row_count; ++row) {
      for (uint32_t pair = 0; 2 * pair < job.channel_count; ++pair) {
        InPlaceRow(job, scratch, job.row_begin + row, pair).Compute();
      }
    }
  }
  ClampRows(job);
}

}  // namespace ota::engine
