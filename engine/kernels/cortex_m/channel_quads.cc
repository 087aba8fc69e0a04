// SPDX-License-Identifier: Apache-2.0
// CONV_2D in int8 for Cortex-M, four channels at a time, of which the weights are widened once and
// then kept while all windows pass, row by row of each.
#include "engine/kernels/cortex_m/channel_quads.h"

#include <algorithm>

#include "engine/kernels/conv.h"
#include "engine/kernels/cortex_m/fast_term.h"
#include "engine/kernels/cortex_m/pixel_quads.h"
#include "engine/kernels/cortex_m/quad_rows.h"

namespace ota::engine {
namespace {

constexpr uint32_t kPiecesMax = 3 * kChannelQuadRowsMax;

uint32_t* ValuesOf(const ConvRows<ConvS8>& job) { return reinterpret_cast<uint32_t*>(job.scratch); }

/// Follows the widened weights.
int8_t* PaddingOf(const ConvRows<ConvS8>& job) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  return reinterpret_cast<int8_t*>(ValuesOf(job) + taps * dsp::kQuadTapBytes);
}

/// The first channel has the last place: places that no channel has are computed before it, and
/// what they store is overwritten.
constexpr uint32_t PlaceOf(uint32_t index) { return kQuadChannels - 1 - index; }

class QuadRun {
 public:
  QuadRun(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad)
      : job_(job),
        quad_(quad),
        shape_(*job.shape),
        depth_(shape_.input_channels),
        padding_(PaddingOf(job)) {
    run_.values = ValuesOf(job);
    run_.pieces = pieces_;
    run_.output_step = shape_.output_channels;
    for (uint32_t i = 0; i < kQuadChannels; ++i) SetPlace(PlaceOf(i), i < quad.count ? i : 0);
  }

  void Compute() {
    if (HasOneRun()) {
      run_.output = OutputOf(job_.row_begin);
      ComputeRun(static_cast<int32_t>(job_.row_begin), 0, job_.row_count * shape_.output_width);
    } else {
      const uint32_t end = job_.row_begin + job_.row_count;
      for (uint32_t row = job_.row_begin; row < end; ++row) ComputeRow(row);
    }
    if (job_.range.lowest > INT8_MIN || job_.range.highest < INT8_MAX) Clamp();
  }

 private:
  using QuadPiece = dsp::QuadPiece;

  void SetPlace(uint32_t place, uint32_t index) {
    const ChannelTermS8& term = quad_.terms[index];
    run_.offsets[place] = quad_.channels[index];
    run_.biases[place] = term.bias;
    if (dsp::FormOf(term) != dsp::QuadForm::kFast) {
      is_fast_ = false;
      return;
    }
    const dsp::FastTerm fast = dsp::FastTermOf(term, 2 * job_.range.output_zero_point + 1);
    run_.terms[place] = {fast.multiplier, fast.shift, fast.rounding};
  }

  int8_t* OutputOf(uint32_t row) const {
    return job_.output + row * shape_.output_width * shape_.output_channels;
  }

  /// Whether all windows lie one after the other, over the ends of rows.
  bool HasOneRun() const {
    return shape_.window_height == 1 && shape_.window_width == 1 && shape_.stride_height == 1 &&
           shape_.stride_width == 1 && shape_.padding_top == 0 && shape_.padding_left == 0 &&
           shape_.input_width == shape_.output_width;
  }

  void ComputeRow(uint32_t row) {
    const int32_t reach = shape_.input_width - shape_.window_width;
    run_.output = OutputOf(row);
    for (uint32_t column = 0; column < shape_.output_width;) {
      const int32_t x = shape_.InputColumn(column);
      uint32_t count = 1;
      if (x >= 0 && x <= reach) {
        const uint32_t inside = static_cast<uint32_t>(reach - x) / shape_.stride_width + 1;
        count = std::min(inside, shape_.output_width - column);
      }
      ComputeRun(shape_.InputRow(row), x, count);
      column += count;
    }
  }

  /// Computes pixels whose windows differ by a step alone, from one whose window begins at (x, y).
  void ComputeRun(int32_t y, int32_t x, uint32_t count) {
    SetPieces(y, x);
    run_.output_end = run_.output + count * shape_.output_channels;
    is_fast_ ? dsp::ComputeChannelQuads(run_) : ComputeSlowly();
  }

  void SetPieces(int32_t y, int32_t x) {
    const uint32_t width = shape_.window_width;
    const int32_t first = std::clamp<int32_t>(-x, 0, shape_.window_width);
    const auto begin = static_cast<uint32_t>(first);
    const auto end = static_cast<uint32_t>(
        std::clamp<int32_t>(shape_.input_width - x, first, shape_.window_width));
    QuadPiece* piece = pieces_;
    for (uint32_t i = 0; i < shape_.window_height; ++i, y += shape_.dilation_height) {
      const bool is_inside = y >= 0 && y < shape_.input_height && end > begin;
      if (!is_inside) {
        piece = AddPiece(piece, padding_, width, 0);
        continue;
      }
      const int8_t* const row = job_.input + y * shape_.input_width * depth_;
      if (begin != 0) piece = AddPiece(piece, padding_, begin, 0);
      piece = AddPiece(piece, row + (x + static_cast<int32_t>(begin)) * depth_, end - begin,
                       shape_.stride_width);
      if (end != width) piece = AddPiece(piece, padding_, width - end, 0);
    }
    run_.pieces_end = piece;
  }

  QuadPiece* AddPiece(QuadPiece* piece, const int8_t* at, uint32_t taps, uint32_t step) const {
    const auto depth = static_cast<uint32_t>(depth_);
    *piece = {at, taps * depth / 4, step * depth};
    return piece + 1;
  }

  /// As ComputeChannelQuads, if a term has not the cheap form.
  [[gnu::noinline]] void ComputeSlowly() {
    for (; run_.output != run_.output_end; run_.output += run_.output_step) {
      int32_t sums[kQuadChannels];
      std::copy_n(run_.biases, kQuadChannels, sums);
      dsp::SumChannelQuad(run_, sums);
      for (uint32_t i = 0; i < quad_.count; ++i) {
        run_.output[quad_.channels[i]] = dsp::FinishQuadSum(job_, quad_.terms[i], sums[PlaceOf(i)]);
      }
    }
  }

  void Clamp() const {
    int8_t* const end = OutputOf(job_.row_begin + job_.row_count);
    for (int8_t* pixel = OutputOf(job_.row_begin); pixel != end; pixel += run_.output_step) {
      for (uint32_t i = 0; i < quad_.count; ++i) {
        int8_t& result = pixel[quad_.channels[i]];
        result =
            static_cast<int8_t>(std::clamp<int32_t>(result, job_.range.lowest, job_.range.highest));
      }
    }
  }

  const ConvRows<ConvS8>& job_;
  const ChannelQuadS8& quad_;
  const WindowShape& shape_;
  const int32_t depth_;
  const int8_t* const padding_;
  bool is_fast_ = true;
  dsp::ChannelQuads run_{};
  QuadPiece pieces_[kPiecesMax];
};

}  // namespace

void dsp::SumChannelQuad(const ChannelQuads& run, int32_t* sums) {
  const uint32_t* values = run.values;
  for (QuadPiece* piece = run.pieces; piece != run.pieces_end; ++piece) {
    SumPixelQuad(values, reinterpret_cast<const uint8_t*>(piece->at), 4 * piece->group_count, sums);
    values += 4 * piece->group_count * kQuadTapBytes;
    piece->at += piece->step;
  }
}

bool BeginQuadTermS8(const ConvRows<ConvS8>& job, ChannelTermS8& term) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  return dsp::BeginQuadTerms(job, taps, 1, &term) != dsp::QuadForm::kConstant;
}

void FillQuadS8(const ConvRows<ConvS8>& job, ChannelQuadS8& quad, uint32_t index, uint32_t first,
                uint32_t count, const uint8_t* weights) {
  uint32_t* const values = ValuesOf(job);
  if (index == 0 && first == 0) {
    std::fill_n(PaddingOf(job), ChannelQuadPaddingBytes(*job.shape),
                static_cast<int8_t>(job.range.input_zero_point));
  }
  const int32_t sum =
      dsp::WidenChannel(weights, count, values + first * dsp::kQuadTapBytes + PlaceOf(index));
  int32_t& bias = quad.terms[index].bias;
  bias = WrappingAdd(bias, -job.range.input_zero_point * sum);
}

void QuadRowsS8(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad) {
  QuadRun(job, quad).Compute();
}

}  // namespace ota::engine
