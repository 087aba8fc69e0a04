// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/side_by_side.h"

#include <algorithm>

#include "engine/kernels/cortex_m/store_sums.h"

namespace ota::engine::dsp {
namespace {

class SideBySide {
 public:
  SideBySide(const ConvRows<ConvS8>& job, uint32_t count, AddTaps add_taps)
      : job_(job),
        shape_(*job.shape),
        count_(count),
        add_taps_(add_taps),
        pitch_(shape_.input_width * shape_.input_channels) {
    const int32_t zero_point = -job.range.input_zero_point;
    taps_.column_step = shape_.dilation_width * shape_.input_channels;
    taps_.weight_step = job.weight_stride;
    taps_.zero_points = PackHalves(zero_point, zero_point);
  }

  int8_t* ComputeRow(uint32_t row, int8_t* output) {
    SelectRow(shape_.InputRow(row));
    for (uint32_t column = 0; column < shape_.output_width; ++column) {
      SelectColumn(shape_.InputColumn(column));
      ComputePixel(output);
      output += shape_.output_channels;
    }
    return output;
  }

 private:
  void SelectRow(int32_t y) {
    const TapRange rows =
        FindTaps(y, shape_.window_height, shape_.dilation_height, shape_.input_height);
    taps_.rows = static_cast<uint32_t>(std::max(rows.end - rows.begin, 0));
    row_ = job_.input + (y + rows.begin * shape_.dilation_height) * pitch_;
    if (shape_.input_channels != 1) row_ += job_.channel_begin;
    first_tap_ = rows.begin * shape_.window_width;
    is_whole_ = false;
  }

  /// Windows whose columns all lie in the image differ in their place alone.
  void SelectColumn(int32_t x) {
    const int32_t reach = (shape_.window_width - 1) * shape_.dilation_width;
    const bool is_whole = x >= 0 && x + reach < shape_.input_width;
    if (!is_whole || !is_whole_) SelectTaps(x);
    is_whole_ = is_whole;
    at_ = row_ + x * shape_.input_channels + columns_.begin * taps_.column_step;
  }

  void SelectTaps(int32_t x) {
    columns_ = FindTaps(x, shape_.window_width, shape_.dilation_width, shape_.input_width);
    const int32_t width = std::max(columns_.end - columns_.begin, 0);
    taps_.columns = static_cast<uint32_t>(width);
    taps_.row_step = shape_.dilation_height * pitch_ - width * taps_.column_step;
    taps_.weight_row_step = (shape_.window_width - taps_.columns) * taps_.weight_step;
    weights_ =
        job_.weights + static_cast<uint32_t>(first_tap_ + columns_.begin) * taps_.weight_step;
  }

  void ComputePixel(int8_t* output) const {
    const bool has_taps = taps_.rows != 0 && taps_.columns != 0;
    const int8_t* at = at_;
    for (uint32_t channel = 0; channel < count_; channel += kChannelsTogether) {
      const ChannelTermS8* const terms = job_.terms + channel;
      int32_t sums[kChannelsTogether] = {terms[0].bias, terms[1].bias, terms[2].bias,
                                         terms[3].bias};
      if (has_taps) add_taps_(taps_, at, weights_ + channel, sums);
      StoreSums(job_, {sums, kChannelsTogether, terms, 1, output + channel, 1});
      if (shape_.input_channels != 1) at += kChannelsTogether;
    }
  }

  const ConvRows<ConvS8>& job_;
  const WindowShape& shape_;
  const uint32_t count_;
  const AddTaps add_taps_;
  const int32_t pitch_;  ///< bytes of a row of the input
  SideBySideTaps taps_{};
  const int8_t* row_ = nullptr;
  const int8_t* at_ = nullptr;
  const uint8_t* weights_ = nullptr;
  int32_t first_tap_ = 0;
  TapRange columns_{};
  bool is_whole_ = false;
};

}  // namespace

void ComputeSideBySide(const ConvRows<ConvS8>& job, uint32_t count, AddTaps add_taps) {
  const WindowShape& shape = *job.shape;
  int8_t* output =
      job.output + job.row_begin * shape.output_width * shape.output_channels + job.channel_begin;
  SideBySide run(job, count, add_taps);
  for (uint32_t i = 0; i < job.row_count; ++i) {
    output = run.ComputeRow(job.row_begin + i, output);
  }
}

}  // namespace ota::engine::dsp
