// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/quad_rows.h"

#include <algorithm>

#include "engine/kernels/cortex_m/clamp_rows.h"
#include "engine/kernels/cortex_m/quad_run.h"
#include "engine/kernels/cortex_m/quad_terms.h"

namespace ota::engine::dsp {
namespace {

static_assert(kQuad == kQuadChannels);

/// Pixels whose sums are kept at a time, where they are.
constexpr uint32_t kPixelsMax = 16;
/// Words of widened weights of a window of taps side by side.
constexpr uint32_t kValueWords = kSideBySideMax * kSideBySideMax * kQuad * kQuadTapBytes / 4;

/// Some rows or columns of a window.
struct Span {
  int32_t first;
  int32_t count;
};

class QuadRows {
 public:
  QuadRows(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad, bool is_depthwise)
      : job_(job),
        quad_(quad),
        shape_(*job.shape),
        is_depthwise_(is_depthwise),
        pitch_(shape_.input_width * shape_.input_channels),
        rows_{0, shape_.window_height},
        columns_{0, shape_.window_width} {
    run_.column_step = shape_.dilation_width * shape_.input_channels;
    run_.step = uint32_t{shape_.stride_width} * shape_.input_channels;
    run_.output_step = shape_.output_channels;
    run_.output_pitch = run_.output_step * shape_.output_width;
    run_.zero_points = ZeroPointsOf(job);
    run_.sums = biases_;
    run_.terms = terms_;
    for (uint32_t i = 0; i < kQuad; ++i) SetPlace(PlaceOf(i), i < quad.count ? i : 0);
    const auto most = static_cast<uint32_t>(std::max(rows_.count, columns_.count));
    if (is_depthwise && most > kSideBySideMax) is_fast_ = false;
  }

  void Compute() {
    is_fast_ ? ComputeFast() : ComputeSlowly();
    const uint32_t first = quad_.channels[0];
    ClampRows(job_, first, quad_.channels[quad_.count - 1] + 1 - first);
  }

 private:
  void SetPlace(uint32_t place, uint32_t index) {
    const ChannelTermS8& term = quad_.terms[index];
    run_.offsets[place] = quad_.channels[index];
    biases_[place] = term.bias;
    if (FormOf(term) != QuadForm::kFast) {
      is_fast_ = false;
      return;
    }
    const FastTerm fast = FastTermOf(term, RoundingUnitOf(job_));
    terms_[place] = {fast.multiplier, fast.shift, fast.rounding};
  }

  void ComputeFast() {
    for (uint32_t column = 0, count; column < shape_.output_width; column += count) {
      count = SelectColumns(column, shape_.output_width - column);
      for (uint32_t done = 0; done < job_.row_count;) {
        done += ComputeLines(job_.row_begin + done, job_.row_count - done, column, count);
      }
    }
  }

  int8_t* OutputOf(uint32_t row, uint32_t column) const {
    return job_.output + (row * shape_.output_width + column) * shape_.output_channels;
  }

  /// Pixels from `column` on, at most so many, of whose windows the same columns lie in the image.
  uint32_t SelectColumns(uint32_t column, uint32_t most) {
    const int32_t dilation = shape_.dilation_width;
    const int32_t x = shape_.InputColumn(column) + columns_.first * dilation;
    const TapRange taps = FindTaps(x, columns_.count, dilation, shape_.input_width);
    inside_ = {taps.begin, std::max(taps.end - taps.begin, 0)};
    at_ = job_.input + x * shape_.input_channels + taps.begin * run_.column_step;
    if (is_depthwise_) {
      at_ += job_.channel_begin;
      WidenInside();
    }
    if (inside_.count != columns_.count) return 1;
    const int32_t left = shape_.input_width - 1 - x - (columns_.count - 1) * dilation;
    return std::min(static_cast<uint32_t>(left) / shape_.stride_width + 1, most);
  }

  /// The weights of the columns that were selected, row by row, each from its end.
  void WidenInside() {
    const auto step = static_cast<int32_t>(job_.weight_stride);
    uint32_t* values = values_;
    for (int32_t row = rows_.first; row < rows_.first + rows_.count; ++row) {
      const int32_t end =
          row * shape_.window_width + columns_.first + inside_.first + inside_.count;
      values = WidenSideBySide(job_.weights + (end - 1) * step,
                               static_cast<uint32_t>(inside_.count), -step, values);
    }
  }

  /// So many pixels of rows from `row` on, at most so many, of whose windows the same rows lie in
  /// the image; returns how many rows.
  uint32_t ComputeLines(uint32_t row, uint32_t most, uint32_t column, uint32_t count) {
    const int32_t dilation = shape_.dilation_height;
    const int32_t y = shape_.InputRow(row) + rows_.first * dilation;
    const TapRange taps = FindTaps(y, rows_.count, dilation, shape_.input_height);
    run_.lines = 1;
    if (taps.end - taps.begin == rows_.count) {
      const int32_t left = shape_.input_height - 1 - y - (rows_.count - 1) * dilation;
      run_.lines = std::min(static_cast<uint32_t>(left) / shape_.stride_height + 1, most);
    }
    const uint32_t lines = run_.lines;
    const auto height = static_cast<uint32_t>(std::max(taps.end - taps.begin, 0));
    is_depthwise_ ? SelectDepthwise(taps.begin, height) : SelectConv(taps.begin, height);
    run_.at = at_ + (y + taps.begin * dilation) * pitch_;
    run_.line_step = shape_.stride_height * pitch_ - static_cast<int32_t>(count * run_.step);
    run_.output = OutputOf(row, column);
    run_.output_end = run_.output + count * run_.output_step;
    run_.output_line_step = static_cast<int32_t>((shape_.output_width - count) * run_.output_step);
    ComputeQuads(run_);
    return lines;
  }

  void SelectDepthwise(int32_t first, uint32_t height) {
    const auto width = static_cast<uint32_t>(inside_.count);
    run_.values = values_ + static_cast<uint32_t>(first) * width * kQuad * kQuadTapBytes / 4;
    SelectSideBySide(run_, height, width, shape_.dilation_height * pitch_);
  }

  void SelectConv(int32_t first, uint32_t height) {
    const int32_t value_step = shape_.window_channels * static_cast<int32_t>(kQuad * kQuadTapBytes);
    const int32_t width = inside_.count;
    run_.values = ScratchOf(job_) + (first * columns_.count + inside_.first) * value_step / 4;
    run_.row_step = shape_.dilation_height * pitch_ - width * run_.column_step;
    run_.value_row_step = (columns_.count - width) * value_step;
    run_.row_count = std::max(height, 1u);
    SelectTogether(run_, height == 0 ? 0 : static_cast<uint32_t>(width) * shape_.window_channels);
  }

  /// Of terms without the cheap form, and of windows of many taps side by side.
  [[gnu::noinline]] void ComputeSlowly() {
    run_.terms = nullptr;
    for (uint32_t i = 0; i < job_.row_count; ++i) {
      for (uint32_t column = 0; column < shape_.output_width; column += kPixelsMax) {
        ComputeSums(job_.row_begin + i, column, std::min(kPixelsMax, shape_.output_width - column));
      }
    }
  }

  void ComputeSums(uint32_t row, uint32_t column, uint32_t count) {
    int32_t sums[kPixelsMax * kQuad];
    for (uint32_t i = 0; i < count * kQuad; ++i) sums[i] = biases_[i % kQuad];
    AddParts(row, column, count, sums);
    int8_t* output = OutputOf(row, column);
    for (const int32_t* sum = sums; sum != sums + count * kQuad; sum += kQuad) {
      for (uint32_t i = 0; i < quad_.count; ++i) {
        output[quad_.channels[i]] = FinishQuadSum(job_, quad_.terms[i], sum[PlaceOf(i)]);
      }
      output += shape_.output_channels;
    }
  }

  void AddParts(uint32_t row, uint32_t column, uint32_t count, int32_t* sums) {
    const int32_t most = is_depthwise_ ? static_cast<int32_t>(kSideBySideMax) : UINT16_MAX;
    for (rows_.first = 0; rows_.first < shape_.window_height; rows_.first += most) {
      rows_.count = std::min(most, shape_.window_height - rows_.first);
      for (columns_.first = 0; columns_.first < shape_.window_width; columns_.first += most) {
        columns_.count = std::min(most, shape_.window_width - columns_.first);
        run_.sums = sums;
        for (uint32_t done = 0, together; done < count; done += together) {
          together = SelectColumns(column + done, count - done);
          ComputeLines(row, 1, column + done, together);
        }
      }
    }
  }

  const ConvRows<ConvS8>& job_;
  const ChannelQuadS8& quad_;
  const WindowShape& shape_;
  const bool is_depthwise_;
  const int32_t pitch_;  ///< bytes of a row of the input
  bool is_fast_ = true;
  Span rows_;      ///< of the windows, that are computed at once
  Span columns_;   ///< the same
  Span inside_{};  ///< of these columns, that lie in the image
  const int8_t* at_ = nullptr;
  int32_t biases_[kQuad];
  QuadTerm terms_[kQuad];
  QuadRun run_{};
  uint32_t values_[kValueWords];
};

}  // namespace

void ComputeChannelQuad(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad) {
  QuadRows(job, quad, false).Compute();
}

void ComputeSideBySide(const ConvRows<ConvS8>& job) {
  ChannelQuadS8 quad;
  quad.count = kQuad;
  for (uint32_t i = 0; i < kQuad; ++i) {
    quad.channels[i] = job.channel_begin + i;
    quad.terms[i] = job.terms[i];
  }
  QuadRows(job, quad, true).Compute();
}

}  // namespace ota::engine::dsp
