// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/quad_rows.h"

#include <algorithm>

#include "engine/kernels/cortex_m/pixel_quads.h"
#include "engine/kernels/cortex_m/store_sums.h"

namespace ota::engine::dsp {
namespace {

/// Front of the scratch.
struct Header {
  QuadForm worst_form;
  uint32_t unused;
};

int8_t* FillBytes(int32_t value, uint32_t count, int8_t* target) {
  for (; count != 0; --count) *target++ = static_cast<int8_t>(value);
  return target;
}

int8_t* CopyBytes(const int8_t* source, uint32_t count, int8_t* target) {
  for (; count >= 4; count -= 4, source += 4, target += 4) {
    CopyWord(source, target);
  }
  for (; count != 0; --count) *target++ = *source++;
  return target;
}

/// Where the window of one output pixel lies in the input.
struct Window {
  const int8_t* corner;
  int32_t row;
  int32_t column;
  bool has_columns;  ///< pieces are rows of the window, and no column is outside
};

/// A part of a piece of the windows.
struct PiecePart {
  int32_t row;     ///< distance from the windows' first, in the input
  int32_t column;  ///< the same
  uint32_t first;  ///< tap of the piece
  uint32_t count;  ///< of taps
};

class QuadGather {
 public:
  QuadGather(const ConvRows<ConvS8>& job, const QuadLayout& layout)
      : shape_(*job.shape),
        layout_(layout),
        zero_point_(job.range.input_zero_point),
        input_(job.input),
        depth_(shape_.input_channels),
        pitch_(shape_.input_width * depth_),
        height_(shape_.input_height),
        whole_(RowsOf(0, shape_.window_height)),
        chunk_taps_(layout.ChunkTaps(kQuadTapBytes)),
        copy_bytes_(layout.CopyBytes(chunk_taps_)),
        values_(reinterpret_cast<uint32_t*>(job.scratch + layout.header_bytes)),
        copies_(reinterpret_cast<int8_t*>(job.scratch + layout.header_bytes + layout.value_bytes)) {
  }

  const uint32_t* values() const { return values_; }
  /// Taps that are gathered at a time.
  uint32_t chunk_taps() const { return chunk_taps_; }
  /// Behind what is copied.
  int32_t* sums() const { return reinterpret_cast<int32_t*>(copies_ + kQuadPixels * copy_bytes_); }

  void SelectPixel(uint32_t index, uint32_t row, uint32_t column) {
    const int32_t y = shape_.InputRow(row), x = shape_.InputColumn(column);
    const bool has_columns =
        layout_.pieces_across == 1 && x >= 0 && x + shape_.window_width <= shape_.input_width;
    windows_[index] = {input_ + y * pitch_ + x * depth_, y, x, has_columns};
  }

  /// Widens taps [begin, end) of all four windows.
  void Gather(uint32_t begin, uint32_t end) {
    const uint32_t row_taps = layout_.piece_taps;
    const bool is_whole = begin == 0 && end == layout_.tap_count;
    const bool are_rows = is_whole || (begin % row_taps == 0 && end % row_taps == 0);
    if (layout_.pieces_across != 1 || !are_rows) return GatherParts(begin, end);
    GatherRows(is_whole ? whole_ : RowsOf(begin / row_taps, (end - begin) / row_taps));
  }

 private:
  /// Rows of the windows: distances from the windows' first in rows of the input.
  struct Rows {
    uint32_t count;
    int32_t first;
    int32_t reach;  ///< from the first to the last
  };

  Rows RowsOf(uint32_t begin, uint32_t count) const {
    return {count, static_cast<int32_t>(begin) * shape_.dilation_height,
            static_cast<int32_t>(count - 1) * shape_.dilation_height};
  }

  void GatherRows(const Rows rows) {
    const uint32_t row_taps = layout_.piece_taps;
    const int32_t row_step = pitch_ * shape_.dilation_height - static_cast<int32_t>(row_taps);
    const int32_t offset = rows.first * pitch_;
    QuadSources sources;
    int8_t* copy = copies_;
    for (uint32_t i = 0; i < kQuadPixels; ++i, copy += copy_bytes_) {
      const bool is_whole = IsWhole(windows_[i], rows);
      const bool is_in_place = layout_.is_aligned && is_whole;
      if (!is_in_place) {
        is_whole ? CopyWholeRows(windows_[i], rows, copy) : CopyRows(windows_[i], rows, copy);
      }
      sources.pixels[i] = is_in_place ? windows_[i].corner + offset : copy;
      sources.row_steps[i] = is_in_place ? row_step : 0;
    }
    sources.group_count = layout_.is_aligned ? row_taps / 4 : (rows.count * row_taps + 3) / 4;
    sources.row_count = layout_.is_aligned ? rows.count : 1;
    WidenPixelQuad(sources, zero_point_, values_);
  }

  [[gnu::noinline]] void GatherParts(uint32_t begin, uint32_t end) {
    target_ = values_;
    copy_at_ = 0;
    PiecePart part = FirstPart(begin);
    for (uint32_t at = begin; at < end; at += part.count) {
      part.count = std::min(layout_.piece_taps - part.first, end - at);
      layout_.is_aligned ? WidenPart(part) : CopyPart(part);
      Advance(part);
    }
    if (!layout_.is_aligned) WidenCopies();
  }

  bool IsWhole(const Window& window, const Rows rows) const {
    const int32_t row = window.row + rows.first;
    return window.has_columns && row >= 0 && row + rows.reach < height_;
  }

  /// Copies rows of which every tap lies in the image. What a row's last word has too much, the
  /// next rows cover: so many are left.
  void CopyWholeRows(const Window& window, const Rows rows, int8_t* target) const {
    const uint32_t row_taps = layout_.piece_taps;
    const uint32_t taps = rows.count * row_taps;
    const int8_t* source = window.corner + rows.first * pitch_;
    for (uint32_t left = taps; left != 0; left -= row_taps) {
      if (left >= (row_taps + 3) / 4 * 4) {
        for (uint32_t at = 0; at < row_taps; at += 4) {
          CopyWord(source + at, target + at);
        }
      } else {
        CopyBytes(source, row_taps, target);
      }
      source += pitch_ * shape_.dilation_height;
      target += row_taps;
    }
    FillBytes(zero_point_, -taps % 4, target);
  }

  /// Copies rows; zero points stand for what lies outside of the image.
  void CopyRows(const Window& window, const Rows rows, int8_t* target) const {
    const auto row_taps = static_cast<int32_t>(layout_.piece_taps);
    const int32_t begin = std::clamp(-window.column * depth_, 0, row_taps);
    const int32_t end = std::clamp((shape_.input_width - window.column) * depth_, begin, row_taps);
    const int8_t* source = window.corner + rows.first * pitch_ + begin;
    const int32_t first = window.row + rows.first;
    const int32_t last = first + rows.reach;
    for (int32_t row = first; row <= last; row += shape_.dilation_height) {
      if (row < 0 || row >= height_) {
        target = FillBytes(zero_point_, layout_.piece_taps, target);
      } else {
        target = FillBytes(zero_point_, static_cast<uint32_t>(begin), target);
        target = CopyBytes(source, static_cast<uint32_t>(end - begin), target);
        target = FillBytes(zero_point_, static_cast<uint32_t>(row_taps - end), target);
      }
      source += pitch_ * shape_.dilation_height;
    }
    FillBytes(zero_point_, -(rows.count * layout_.piece_taps) % 4, target);
  }

  PiecePart FirstPart(uint32_t tap) const {
    if (tap == 0) return {};
    const uint32_t piece = tap / layout_.piece_taps;
    return {static_cast<int32_t>(piece / layout_.pieces_across) * shape_.dilation_height,
            static_cast<int32_t>(piece % layout_.pieces_across) * shape_.dilation_width,
            tap % layout_.piece_taps, 0};
  }

  void Advance(PiecePart& part) const {
    part.first = 0;
    if (layout_.pieces_across != 1) {
      part.column += shape_.dilation_width;
      const int32_t end = static_cast<int32_t>(layout_.pieces_across) * shape_.dilation_width;
      if (part.column != end) return;
      part.column = 0;
    }
    part.row += shape_.dilation_height;
  }

  int32_t OffsetOf(const PiecePart& part) const {
    return part.row * pitch_ + part.column * depth_ + static_cast<int32_t>(part.first);
  }

  bool HasRow(const Window& window, const PiecePart& part) const {
    return static_cast<uint32_t>(window.row + part.row) < static_cast<uint32_t>(height_);
  }

  void WidenPart(const PiecePart& part) {
    QuadSources sources = {{}, part.count / 4, 1, {}};
    const int32_t offset = OffsetOf(part);
    for (uint32_t i = 0; i < kQuadPixels; ++i) {
      const Window& window = windows_[i];
      sources.pixels[i] = window.corner + offset;
      if (window.has_columns && HasRow(window, part)) continue;
      int8_t* const copy = copies_ + i * copy_bytes_;
      CopyPadded(window, part, copy);
      sources.pixels[i] = copy;
    }
    target_ = WidenPixelQuad(sources, zero_point_, target_);
  }

  void CopyPart(const PiecePart& part) {
    const int32_t offset = OffsetOf(part);
    int8_t* copy = copies_ + copy_at_;
    for (uint32_t i = 0; i < kQuadPixels; ++i, copy += copy_bytes_) {
      const Window& window = windows_[i];
      if (window.has_columns && HasRow(window, part)) {
        CopyBytes(window.corner + offset, part.count, copy);
      } else {
        CopyPadded(window, part, copy);
      }
    }
    copy_at_ += part.count;
  }

  void WidenCopies() const {
    QuadSources sources = {{}, (copy_at_ + 3) / 4, 1, {}};
    int8_t* copy = copies_;
    for (uint32_t i = 0; i < kQuadPixels; ++i, copy += copy_bytes_) {
      FillBytes(zero_point_, 4 * sources.group_count - copy_at_, copy + copy_at_);
      sources.pixels[i] = copy;
    }
    WidenPixelQuad(sources, zero_point_, values_);
  }

  /// Copies what lies in the image; zero points stand for the rest.
  [[gnu::noinline]] void CopyPadded(const Window& window, const PiecePart& part,
                                    int8_t* target) const {
    const auto count = static_cast<int32_t>(part.count);
    if (!HasRow(window, part)) {
      FillBytes(zero_point_, part.count, target);
      return;
    }
    // Bytes of the image's row, counted from where the part begins.
    const auto first = static_cast<int32_t>(part.first);
    const int32_t column = window.column + part.column;
    const int32_t begin = std::clamp(-column * depth_ - first, 0, count);
    const int32_t end = std::clamp((shape_.input_width - column) * depth_ - first, begin, count);
    target = FillBytes(zero_point_, static_cast<uint32_t>(begin), target);
    target = CopyBytes(window.corner + OffsetOf(part) + begin, static_cast<uint32_t>(end - begin),
                       target);
    FillBytes(zero_point_, static_cast<uint32_t>(count - end), target);
  }

  const WindowShape& shape_;
  const QuadLayout& layout_;
  const int32_t zero_point_;
  const int8_t* const input_;
  const int32_t depth_;
  const int32_t pitch_;  ///< bytes of a row of the input
  const int32_t height_;
  const Rows whole_;
  const uint32_t chunk_taps_;
  const uint32_t copy_bytes_;  ///< of one pixel
  uint32_t* const values_;
  int8_t* const copies_;
  uint32_t* target_ = nullptr;
  uint32_t copy_at_ = 0;
  Window windows_[kQuadPixels];
};

class QuadRows {
 public:
  QuadRows(const ConvRows<ConvS8>& job, const QuadLayout& layout, const uint8_t* weights,
           uint32_t channel_bytes)
      : job_(job),
        layout_(layout),
        gather_(job, layout),
        weights_(weights),
        channel_bytes_(channel_bytes),
        is_all_fast_(WorstForm(job) == QuadForm::kFast),
        sums_(gather_.sums()) {}

  void Compute() {
    const WindowShape& shape = *job_.shape;
    const uint32_t pixels = job_.row_count * shape.output_width;
    int8_t* output = job_.output + job_.channel_begin +
                     job_.row_begin * shape.output_width * shape.output_channels;
    uint32_t row = job_.row_begin, column = 0;
    for (uint32_t first = 0; first < pixels; first += kQuadPixels) {
      const uint32_t count = std::min(kQuadPixels, pixels - first);
      for (uint32_t i = 0; i < kQuadPixels; ++i) {
        gather_.SelectPixel(i, row, column);
        if (i + 1 < count || count == kQuadPixels) Advance(row, column);
      }
      gather_.chunk_taps() < layout_.tap_count ? ComputeInChunks(count, output)
                                               : ComputeWhole(count, output);
      output += kQuadPixels * shape.output_channels;
    }
  }

 private:
  static constexpr uint32_t kLastChannels = 16;

  void Advance(uint32_t& row, uint32_t& column) const {
    if (++column < job_.shape->output_width) return;
    column = 0;
    ++row;
  }

  void ComputeWhole(uint32_t count, int8_t* output) {
    gather_.Gather(0, layout_.tap_count);
    const uint32_t step = job_.shape->output_channels;
    if (count == kQuadPixels) return ComputeChannels(0, job_.channel_count, output, step);
    // What is computed for pixels that do not exist is left behind.
    int8_t results[kQuadPixels * kLastChannels];
    for (uint32_t begin = 0; begin < job_.channel_count; begin += kLastChannels) {
      const uint32_t channels = std::min(kLastChannels, job_.channel_count - begin);
      ComputeChannels(begin, begin + channels, results, kLastChannels);
      for (uint32_t i = 0; i < count; ++i) {
        std::copy_n(results + i * kLastChannels, channels, output + i * step + begin);
      }
    }
  }

  void ComputeChannels(uint32_t begin, uint32_t end, int8_t* output, uint32_t step) {
    while (begin < end) {
      const ChannelTermS8& term = job_.terms[begin];
      if (!is_all_fast_ && FormOf(term) != QuadForm::kFast) {
        ComputeOther(begin++, output++, step);
        continue;
      }
      uint32_t fast_end = is_all_fast_ ? end : begin + 1;
      while (fast_end < end && FormOf(job_.terms[fast_end]) == QuadForm::kFast) ++fast_end;
      ComputeFast(begin, fast_end - begin, output, step);
      output += fast_end - begin;
      begin = fast_end;
    }
  }

  void ComputeFast(uint32_t channel, uint32_t count, int8_t* output, uint32_t step) {
    PixelQuads run;
    run.values = gather_.values();
    run.weights = weights_ + channel * channel_bytes_;
    run.group_count = channel_bytes_ / 4;
    run.rest = channel_bytes_ % 4;
    run.terms = job_.terms + channel;
    run.rounding_unit = 2 * job_.range.output_zero_point + 1;
    run.output = output;
    run.output_step = step;
    run.output_end = output + count;
    ComputePixelQuads(run);
  }

  /// A channel without the cheap form.
  void ComputeOther(uint32_t channel, int8_t* output, uint32_t step) const {
    const ChannelTermS8& term = job_.terms[channel];
    if (FormOf(term) == QuadForm::kConstant) {
      for (uint32_t i = 0; i < kQuadPixels; ++i) output[i * step] = static_cast<int8_t>(term.bias);
      return;
    }
    int32_t sums[kQuadPixels];
    std::fill_n(sums, kQuadPixels, term.bias);
    SumPixelQuad(gather_.values(), weights_ + channel * channel_bytes_, channel_bytes_, sums);
    StoreSums(job_, {sums, kQuadPixels, &term, 0, output, step});
  }

  /// The cheap form here, since it is nearly always that; limits are left to ClampRows.
  void StoreChunked(uint32_t channel, uint32_t count, int8_t* output) const {
    const ChannelTermS8& term = job_.terms[channel];
    const int32_t* const sums = sums_ + kQuadPixels * channel;
    const uint32_t step = job_.shape->output_channels;
    if (FormOf(term) != QuadForm::kFast) {
      return StoreSums(job_, {sums, count, &term, 0, output, step});
    }
    const FastTerm fast = FastTermOf(term, 2 * job_.range.output_zero_point + 1);
    for (uint32_t i = 0; i < count; ++i, output += step) {
      *output = static_cast<int8_t>(RequantizeFast(sums[i], fast));
    }
  }

  [[gnu::noinline]] void ComputeInChunks(uint32_t count, int8_t* output) {
    for (uint32_t channel = 0; channel < job_.channel_count; ++channel) {
      std::fill_n(sums_ + kQuadPixels * channel, kQuadPixels, job_.terms[channel].bias);
    }
    for (uint32_t begin = 0; begin < layout_.tap_count; begin += gather_.chunk_taps()) {
      const uint32_t end = std::min(begin + gather_.chunk_taps(), layout_.tap_count);
      gather_.Gather(begin, end);
      for (uint32_t channel = 0; channel < job_.channel_count; ++channel) {
        if (FormOf(job_.terms[channel]) == QuadForm::kConstant) continue;
        SumPixelQuad(gather_.values(), weights_ + channel * channel_bytes_ + begin, end - begin,
                     sums_ + kQuadPixels * channel);
      }
    }
    for (uint32_t channel = 0; channel < job_.channel_count; ++channel) {
      StoreChunked(channel, count, output + channel);
    }
  }

  const ConvRows<ConvS8>& job_;
  const QuadLayout& layout_;
  QuadGather gather_;
  const uint8_t* const weights_;
  const uint32_t channel_bytes_;
  const bool is_all_fast_;
  int32_t* const sums_;
};

}  // namespace

void BeginQuads(const ConvRows<ConvS8>& job, const QuadLayout& layout, ChannelTermS8* terms) {
  reinterpret_cast<Header*>(job.scratch)->worst_form =
      BeginQuadTerms(job, layout.tap_count, job.channel_count, terms);
}

QuadForm WorstForm(const ConvRows<ConvS8>& job) {
  return reinterpret_cast<const Header*>(job.scratch)->worst_form;
}

void ComputeQuadRows(const ConvRows<ConvS8>& job, const QuadLayout& layout, const uint8_t* weights,
                     uint32_t channel_bytes) {
  QuadRows(job, layout, weights, channel_bytes).Compute();
}

}  // namespace ota::engine::dsp
