// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/units.h"
#include "engine/operators/convolution.h"
#include "engine/operators/quantization.h"

// A convolution whose page cannot hold the weights of even one output channel: the sums of one
// channel, for some rows of the output, are kept while its weights pass by in parts.

namespace ota::engine {

using formats::TensorType;

namespace {

template <typename Types>
class ConvPartsRun {
  using Sum = typename Types::Accumulator;
  using Value = typename Types::Activation;
  static constexpr uint32_t kWeightBytes = sizeof(typename Types::Weight);

 public:
  explicit ConvPartsRun(RunContext& context)
      : context_(context), params_(context.params<ConvParams>()), shape_(params_.shape) {
    job_.range = MakeResultRange<Types>(params_);
    job_.rounding = context.rounding();
    const ConvPartsPlan plan = PlanConvParts(shape_, sizeof(Sum), params_.page_bytes);
    rows_ = plan.rows;
    part_elements_ = params_.page_bytes / kWeightBytes;
    sums_ = context.DataAs<Sum>(params_.scratch);
    page_ = context.Data(params_.scratch) + plan.sum_bytes;
  }

  Status Run() {
    const uint32_t groups = (shape_.output_height + rows_ - 1) / rows_;
    const uint32_t per_channel = groups * shape_.batch_count;
    const uint32_t window =
        uint32_t{shape_.window_height} * shape_.window_width * shape_.window_channels;
    while (context_.unit() < per_channel * shape_.output_channels) {
      channel_ = context_.unit() / per_channel;
      const uint32_t rest = context_.unit() % per_channel;
      batch_ = rest / groups;
      row_begin_ = rest % groups * rows_;
      row_end_ = std::min<uint32_t>(row_begin_ + rows_, shape_.output_height);
      OTA_TRY(SumRows(window));
      OTA_TRY(FinishRows());
      const uint32_t macs = (row_end_ - row_begin_) * shape_.output_width * window;
      if (context_.FinishUnit(macs)) return Status::kBusy;
    }
    return Status::kOk;
  }

 private:
  Status SumRows(uint32_t window) {
    std::fill_n(sums_, (row_end_ - row_begin_) * shape_.output_width, Sum{0});
    for (uint32_t first = 0; first < window; first += part_elements_) {
      const uint32_t count = std::min(part_elements_, window - first);
      const uint32_t offset = (channel_ * window + first) * kWeightBytes;
      const uint8_t* weights = page_;
      OTA_TRY(
          context_.FetchConstant(params_.weights_offset + offset, count * kWeightBytes, weights));
      AddPart(first, count, weights);
    }
    return Status::kOk;
  }

  // Adds the products of window elements [first, first + count), tap by tap.
  void AddPart(uint32_t first, uint32_t count, const uint8_t* weights) {
    const uint32_t depth = shape_.window_channels;
    for (uint32_t at = first; at < first + count;) {
      const uint32_t tap = at / depth;
      const uint32_t channel = at % depth;
      const uint32_t length = std::min(depth - channel, first + count - at);
      AddTap(tap, channel, length, weights + (at - first) * kWeightBytes);
      at += length;
    }
  }

  void AddTap(uint32_t tap, uint32_t channel, uint32_t length, const uint8_t* weights) {
    const auto tap_y = static_cast<int32_t>(tap / shape_.window_width) * shape_.dilation_height;
    const auto tap_x = static_cast<int32_t>(tap % shape_.window_width) * shape_.dilation_width;
    const uint32_t image = uint32_t{shape_.input_height} * shape_.input_width;
    const Value* const input =
        context_.DataAs<Value>(params_.input) + batch_ * image * shape_.input_channels;
    const uint32_t group_outputs =
        shape_.output_channels * uint32_t{shape_.window_channels} / shape_.input_channels;
    const uint32_t first_input = channel_ / group_outputs * shape_.window_channels + channel;
    Sum* sum = sums_;
    for (uint32_t row = row_begin_; row < row_end_; ++row) {
      const int32_t y = shape_.InputRow(row) + tap_y;
      for (uint32_t column = 0; column < shape_.output_width; ++column, ++sum) {
        const int32_t x = shape_.InputColumn(column) + tap_x;
        if (y < 0 || y >= shape_.input_height || x < 0 || x >= shape_.input_width) continue;
        const auto pixel = static_cast<uint32_t>(y * shape_.input_width + x);
        *sum = ReferenceAccumulate<Types>(*sum, input + pixel * shape_.input_channels + first_input,
                                          weights, length, job_.range);
      }
    }
  }

  Status FinishRows() {
    typename Types::Term term;
    OTA_TRY(LoadTerms(context_, params_, channel_, 1, &term));
    const uint32_t image = uint32_t{shape_.output_height} * shape_.output_width;
    Value* output = context_.DataAs<Value>(params_.output) +
                    (batch_ * image + row_begin_ * shape_.output_width) * shape_.output_channels +
                    channel_;
    const uint32_t count = (row_end_ - row_begin_) * shape_.output_width;
    for (uint32_t i = 0; i < count; ++i) {
      output[i * shape_.output_channels] =
          ReferenceFinish<Types>(sums_[i], term, job_.range, job_.rounding);
    }
    return Status::kOk;
  }

  RunContext& context_;
  const ConvParams& params_;
  const WindowShape& shape_;
  ConvRows<Types> job_{};
  Sum* sums_ = nullptr;
  uint8_t* page_ = nullptr;
  uint32_t rows_ = 0;
  uint32_t part_elements_ = 0;
  uint32_t channel_ = 0;
  uint32_t batch_ = 0;
  uint32_t row_begin_ = 0;
  uint32_t row_end_ = 0;
};

}  // namespace

ConvPartsPlan PlanConvParts(const WindowShape& shape, uint32_t sum_bytes, uint32_t page_bytes) {
  const uint32_t row_bytes = shape.output_width * sum_bytes;
  const uint32_t rows = std::clamp<uint32_t>(page_bytes / row_bytes, 1, shape.output_height);
  return {rows, RoundUp(rows * row_bytes, kTensorAlignment)};
}

Status RunConvolutionInPartsInt8(RunContext& context) {
  return ConvPartsRun<ConvS8>(context).Run();
}

Status RunConvolutionInParts(RunContext& context) {
  switch (context.params<ConvParams>().type) {
    case TensorType::kInt8:
      return RunConvolutionInPartsInt8(context);
    case TensorType::kInt16:
      return ConvPartsRun<ConvS16>(context).Run();
    default:
      return ConvPartsRun<ConvF32>(context).Run();
  }
}

}  // namespace ota::engine
