// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/pixel_quads.h"

#include <algorithm>

#include "base/units.h"
#include "engine/kernels/cortex_m/clamp_rows.h"
#include "engine/kernels/cortex_m/quad_rows.h"
#include "engine/kernels/cortex_m/quad_run.h"
#include "engine/kernels/cortex_m/quad_terms.h"

namespace ota::engine::dsp {
namespace {

/// Of the copy of a window, of four at a time. All together have room for the largest chunk.
constexpr uint32_t kCopyBytes = 256;

[[gnu::noinline]] int8_t* FillBytes(int32_t value, int32_t count, int8_t* target) {
  while (--count >= 0) *target++ = static_cast<int8_t>(value);
  return target;
}

/// Where a window begins in the input.
struct Corner {
  int32_t y;
  int32_t x;
};

/// Positions of a window that reaches so far from its first tap.
uint32_t CountInside(int32_t size, int32_t reach) {
  return static_cast<uint32_t>(std::max(size - reach, 0));
}

class PixelQuads {
 public:
  PixelQuads(const ConvRows<ConvS8>& job, const uint8_t* weights, uint32_t* values,
             uint32_t room_taps)
      : job_(job),
        shape_(*job.shape),
        taps_(uint32_t{shape_.window_height} * shape_.window_width * shape_.window_channels),
        padding_(-taps_ & 3),
        chunk_taps_(std::min(taps_ + padding_, room_taps)),
        weights_(reinterpret_cast<const int8_t*>(weights) - padding_),
        depth_(shape_.input_channels),
        pitch_(shape_.input_width * depth_),
        row_taps_(shape_.window_width * depth_),
        is_dense_(shape_.dilation_width == 1 && taps_ + padding_ <= kQuad * kCopyBytes),
        inside_rows_(
            CountInside(shape_.input_height, (shape_.window_height - 1) * shape_.dilation_height)),
        inside_columns_(CountInside(shape_.input_width, shape_.window_width - 1)),
        end_x_(shape_.InputColumn(shape_.output_width)),
        zero_point_(job.range.input_zero_point),
        values_(values) {
    run_.values = values_;
    run_.row_count = 1;
    run_.lines = 1;
    run_.step = taps_;
    run_.output_step = 1;
    run_.rounding_unit = RoundingUnitOf(job);
    for (uint32_t i = 0; i < job.channel_count; ++i) {
      is_fast_ = is_fast_ && FormOf(job.terms[i]) == QuadForm::kFast;
    }
    for (uint32_t i = 0; i < kQuad; ++i) run_.offsets[PlaceOf(i)] = i * shape_.output_channels;
    SelectTogether(run_, chunk_taps_);
  }

  void Compute() {
    corner_ = {shape_.InputRow(job_.row_begin), -shape_.padding_left};
    output_ = job_.output + job_.channel_begin +
              job_.row_begin * shape_.output_width * shape_.output_channels;
    for (uint32_t left = job_.row_count * shape_.output_width; left != 0; left -= count_) {
      count_ = std::min(kQuad, left);
      for (uint32_t i = count_; i < kQuad; ++i) run_.offsets[PlaceOf(i)] = 0;
      if (chunk_taps_ < taps_) {
        uint32_t* const behind = values_ + chunk_taps_ * kQuad * kQuadTapBytes / 4;
        ComputeSums(0, job_.channel_count, reinterpret_cast<int32_t*>(behind));
      } else {
        Widen(0);
        ComputeChannels();
      }
      output_ += count_ * shape_.output_channels;
    }
  }

 private:
  void ComputeChannels() {
    const uint32_t together = is_fast_ ? job_.channel_count : 1;
    for (uint32_t channel = 0; channel < job_.channel_count; channel += together) {
      if (FormOf(job_.terms[channel]) == QuadForm::kFast) {
        SelectChannels(channel, channel + together, 0);
        ComputePixelQuads(run_, job_.terms + channel);
      } else {
        int32_t sums[kQuad];
        ComputeSums(channel, 1, sums);
      }
    }
  }

  /// Weights from the padded window's tap `first` on.
  void SelectChannels(uint32_t begin, uint32_t end, uint32_t first) {
    run_.at = weights_ + begin * taps_ + first;
    run_.output = output_ + begin;
    run_.output_end = output_ + end;
  }

  /// Of windows that are not kept as a whole, and of terms without the cheap form.
  [[gnu::noinline]] void ComputeSums(uint32_t channel, uint32_t count, int32_t* sums) {
    for (uint32_t i = 0; i < count; ++i) {
      std::fill_n(sums + i * kQuad, kQuad, job_.terms[channel + i].bias);
    }
    const bool is_constant = count == 1 && FormOf(job_.terms[channel]) == QuadForm::kConstant;
    const Corner corner = corner_;
    for (uint32_t first = is_constant ? taps_ : 0; first < taps_; first += chunk_taps_) {
      corner_ = corner;
      if (chunk_taps_ < taps_) {
        SelectTogether(run_, std::min(chunk_taps_, taps_ + padding_ - first));
        Widen(first);
      }
      SelectChannels(channel, channel + count, first);
      run_.sums = sums;
      ComputeQuads(run_);
    }
    for (const uint32_t end = channel + count; channel < end; ++channel, sums += kQuad) {
      for (uint32_t i = 0; i < count_; ++i) {
        const uint32_t place = PlaceOf(i);
        output_[run_.offsets[place] + channel] =
            FinishQuadSum(job_, job_.terms[channel], sums[place]);
      }
    }
  }

  /// A chunk of the windows, padded in front, from tap `first` on. Moves on to the next windows.
  void Widen(uint32_t first) {
    const uint32_t end = std::min(first + chunk_taps_, taps_ + padding_);
    if (is_dense_ && chunk_taps_ >= taps_ && WidenAll()) return;
    alignas(uint32_t) int8_t copies[kQuad * kCopyBytes];
    for (uint32_t i = 0; i < count_; ++i) {
      is_dense_ ? CopyRows(corner_, copies)
                : CopyTaps(static_cast<int32_t>(first - padding_),
                           static_cast<int32_t>(end - padding_), copies);
      WidenTogether(copies + (is_dense_ ? first : 0), end - first, ZeroPointsOf(job_),
                    values_ + PlaceOf(i));
      Advance(corner_);
    }
  }

  /// All windows at once, where they lie if they lie in the image and their rows are whole groups,
  /// else as copies. False: they are too large for that.
  [[gnu::noinline]] bool WidenAll() {
    QuadSources sources;
    alignas(uint32_t) int8_t copies[kQuad][kCopyBytes];
    const bool has_groups = row_taps_ % 4 == 0;
    Corner corner = corner_;
    for (uint32_t i = 0; i < kQuad; ++i) {
      const uint32_t place = PlaceOf(i);
      sources.at[place] = job_.input + corner.y * pitch_ + corner.x * depth_;
      sources.row_steps[place] = shape_.dilation_height * pitch_ - row_taps_;
      if (!has_groups || !IsInside(corner)) {
        if (taps_ > kCopyBytes) return false;
        CopyRows(corner, copies[i]);
        sources.at[place] = copies[i];
        sources.row_steps[place] = 0;
      }
      if (i < count_) Advance(corner);
    }
    corner_ = corner;
    const uint32_t groups = (taps_ + padding_) / 4;
    sources.row_count = has_groups ? shape_.window_height : 1;
    sources.group_count = groups / sources.row_count;
    sources.zero_points = ZeroPointsOf(job_);
    WidenQuad(sources, values_);
    return true;
  }

  bool IsInside(const Corner& corner) const {
    return static_cast<uint32_t>(corner.y) < inside_rows_ &&
           static_cast<uint32_t>(corner.x) < inside_columns_;
  }

  /// To the next pixel's window.
  void Advance(Corner& corner) const {
    corner.x += shape_.stride_width;
    if (corner.x < end_x_) return;
    corner.x = -shape_.padding_left;
    corner.y += shape_.stride_height;
  }

  /// A window whose rows lie together, padded in front; zero points stand for what does not lie in
  /// the image. Of rows that enough follows whole words are copied.
  [[gnu::noinline]] void CopyRows(const Corner& corner, int8_t* target) const {
    const int32_t begin = std::clamp(-corner.x * depth_, 0, row_taps_);
    const int32_t end = std::clamp((shape_.input_width - corner.x) * depth_, begin, row_taps_);
    const int8_t* at = job_.input + corner.y * pitch_ + corner.x * depth_ + begin;
    target = FillBytes(zero_point_, static_cast<int32_t>(padding_), target);
    const int32_t taps = end - begin, height = shape_.input_height,
                  dilation = shape_.dilation_height;
    const int8_t* const input_end = job_.input + height * pitch_;
    int32_t y = corner.y;
    for (int32_t row = shape_.window_height; --row >= 0; y += dilation, at += dilation * pitch_) {
      if (static_cast<uint32_t>(y) >= static_cast<uint32_t>(height)) {
        target = FillBytes(zero_point_, row_taps_, target);
        continue;
      }
      if (begin != 0) target = FillBytes(zero_point_, begin, target);
      const bool is_exact = row * row_taps_ < 3 || at + taps + 3 > input_end;
      const int32_t words = is_exact ? taps - 3 : taps;
      int32_t i = 0;
      for (; i < words; i += 4) CopyWord(at + i, target + i);
      for (; i < taps; ++i) target[i] = at[i];
      target += taps;
      if (end != row_taps_) target = FillBytes(zero_point_, row_taps_ - end, target);
    }
  }

  /// Taps [first, last) of any window, less than 0 what is before it, column by column.
  [[gnu::noinline]] void CopyTaps(int32_t first, int32_t last, int8_t* target) const {
    target = FillBytes(zero_point_, -first, target);
    for (int32_t tap = std::max(first, 0); tap < last;) {
      const int32_t pixel = tap / depth_;
      const int32_t y = corner_.y + pixel / shape_.window_width * shape_.dilation_height;
      const int32_t x = corner_.x + pixel % shape_.window_width * shape_.dilation_width;
      const bool is_inside = static_cast<uint32_t>(y) < shape_.input_height &&
                             static_cast<uint32_t>(x) < shape_.input_width;
      const int8_t* const at = job_.input + y * pitch_ + (x - pixel) * depth_;
      for (const int32_t end = std::min((pixel + 1) * depth_, last); tap < end; ++tap) {
        *target++ = is_inside ? at[tap] : static_cast<int8_t>(zero_point_);
      }
    }
  }

  const ConvRows<ConvS8>& job_;
  const WindowShape& shape_;
  const uint32_t taps_;
  const uint32_t padding_;  ///< in front of the windows, to whole groups
  const uint32_t chunk_taps_;
  const int8_t* const weights_;
  const int32_t depth_;
  const int32_t pitch_;         ///< bytes of a row of the input
  const int32_t row_taps_;      ///< of a window
  const bool is_dense_;         ///< rows of windows lie together, and a copy has room for all
  const uint32_t inside_rows_;  ///< where windows that lie in the image begin
  const uint32_t inside_columns_;
  const int32_t end_x_;  ///< behind a row of windows
  const int32_t zero_point_;
  uint32_t* const values_;
  bool is_fast_ = true;  ///< all channels have the cheap form
  Corner corner_{};      ///< of the first window
  uint32_t count_ = 0;
  int8_t* output_ = nullptr;
  QuadRun run_{};
};

}  // namespace

void ComputePixels(const ConvRows<ConvS8>& job, const uint8_t* weights, uint32_t* values,
                   uint32_t room_taps) {
  PixelQuads(job, weights, values, room_taps).Compute();
  ClampRows(job, job.channel_begin, job.channel_count);
}

}  // namespace ota::engine::dsp
