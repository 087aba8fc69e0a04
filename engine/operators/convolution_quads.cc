// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/kernels/conv_layout.h"
#include "engine/operators/convolution.h"
#include "engine/operators/quantization.h"
#include "engine/operators/weight_pages.h"

// A CONV_2D in int8 whose weights are streamed: four channels at a time, whose weights the kernel
// has taken from as many pages as it took, pass over the whole image.

namespace ota::engine {
namespace {

constexpr uint32_t kTermsCount = 16;  ///< loaded at a time

/// At the front of the scratch, since the operator may be left while a page is awaited.
struct QuadState {
  ChannelQuadS8 quad;
  uint32_t channel;  ///< that comes next
  uint32_t taps;     ///< of it that were taken
  uint32_t terms_end;
  bool is_live;  ///< its weights matter
  ChannelTermS8 terms[kTermsCount];
};
constexpr uint32_t kStateBytes = WeightPageStride(sizeof(QuadState));

uint32_t TapCount(const WindowShape& shape) {
  return uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
}

WeightPagesLayout PagesOf(const ConvParams& params, bool is_ahead) {
  const uint32_t bytes = TapCount(params.shape) * params.shape.output_channels;
  return {params.weights_offset, bytes, params.page_bytes, is_ahead};
}

class ConvQuadsRun {
 public:
  explicit ConvQuadsRun(RunContext& context)
      : context_(context),
        params_(context.params<ConvParams>()),
        shape_(params_.shape),
        taps_(TapCount(shape_)),
        state_(*context.DataAs<QuadState>(params_.scratch)),
        pages_(context, PagesOf(params_, context.can_read_ahead()),
               context.Data(params_.scratch) + kStateBytes + ChannelQuadScratchBytes(shape_)) {
    job_.shape = &shape_;
    job_.range = MakeResultRange<ConvS8>(params_);
    job_.rounding = context.rounding();
    job_.scratch = context.Data(params_.scratch) + kStateBytes;
    rows_ = CountUnitRows(shape_, kQuadChannels);
  }

  Status Run() {
    const uint32_t chunks = (shape_.output_height + rows_ - 1) / rows_;
    const uint32_t units = chunks * shape_.batch_count;
    const uint32_t passes = (shape_.output_channels + kQuadChannels - 1) / kQuadChannels;
    if (context_.unit() == 0 && !context_.has_request()) {
      state_.channel = state_.taps = state_.terms_end = state_.quad.count = 0;
    }
    while (context_.unit() < passes * units) {
      const uint32_t unit = context_.unit() % units;
      if (unit == 0) OTA_TRY(FillQuad());
      const uint32_t macs = RunRows(unit / chunks, unit % chunks * rows_);
      if (unit + 1 == units) state_.quad.count = 0;
      if (context_.FinishUnit(macs)) return Status::kBusy;
    }
    return Status::kOk;
  }

 private:
  // Takes the weights of the next channels whose weights matter. kBusy: to be called again.
  Status FillQuad() {
    ChannelQuadS8& quad = state_.quad;
    for (; quad.count < kQuadChannels && state_.channel < shape_.output_channels;
         ++state_.channel) {
      if (state_.taps == 0) OTA_TRY(BeginChannel());
      while (state_.taps < taps_) OTA_TRY(TakeWeights());
      state_.taps = 0;
      if (state_.is_live) ++quad.count;
    }
    return Status::kOk;
  }

  Status BeginChannel() {
    ChannelQuadS8& quad = state_.quad;
    const uint32_t channel = state_.channel;
    if (channel == state_.terms_end) {
      const uint32_t count = std::min(kTermsCount, shape_.output_channels - channel);
      OTA_TRY(LoadTerms(context_, params_, channel, count, state_.terms));
      state_.terms_end += count;
    }
    quad.channels[quad.count] = channel;
    ChannelTermS8& term = quad.terms[quad.count];
    term = state_.terms[channel % kTermsCount];
    state_.is_live = BeginQuadTermS8(job_, term);
    if (!state_.is_live) FillOutput(channel, term.bias);
    return Status::kOk;
  }

  // Up to the end of the channel or of the page.
  Status TakeWeights() {
    const uint32_t at = state_.channel * taps_ + state_.taps;
    const uint32_t page = at / params_.page_bytes;
    const uint32_t offset = at % params_.page_bytes;
    if (offset == 0) OTA_TRY(pages_.Select(page));
    const uint32_t count = std::min(taps_ - state_.taps, params_.page_bytes - offset);
    if (state_.is_live) {
      FillQuadS8(job_, state_.quad, state_.quad.count, state_.taps, count,
                 pages_.page(page) + offset);
    }
    state_.taps += count;
    return Status::kOk;
  }

  void FillOutput(uint32_t channel, int32_t value) {
    const uint32_t pixels =
        uint32_t{shape_.batch_count} * shape_.output_height * shape_.output_width;
    int8_t* at = context_.DataAs<int8_t>(params_.output) + channel;
    for (uint32_t i = 0; i < pixels; ++i, at += shape_.output_channels) {
      *at = static_cast<int8_t>(value);
    }
  }

  uint32_t RunRows(uint32_t batch, uint32_t row) {
    if (state_.quad.count == 0) return 0;
    const uint32_t input_image =
        uint32_t{shape_.input_height} * shape_.input_width * shape_.input_channels;
    const uint32_t output_image =
        uint32_t{shape_.output_height} * shape_.output_width * shape_.output_channels;
    job_.input = context_.DataAs<int8_t>(params_.input) + batch * input_image;
    job_.output = context_.DataAs<int8_t>(params_.output) + batch * output_image;
    job_.row_begin = row;
    job_.row_count = std::min<uint32_t>(rows_, shape_.output_height - row);
    QuadRowsS8(job_, state_.quad);
    return job_.row_count * shape_.output_width * state_.quad.count * taps_;
  }

  RunContext& context_;
  const ConvParams& params_;
  const WindowShape& shape_;
  const uint32_t taps_;
  QuadState& state_;
  WeightPages pages_;
  ConvRows<ConvS8> job_{};
  uint32_t rows_ = 0;  ///< of a unit
};

}  // namespace

uint32_t PlanConvQuads(const PrepareContext& context, ConvParams& params) {
  const uint32_t page_count = context.can_read_ahead() ? 2 : 1;
  params.tile_channels = kTilesAreQuads;
  params.page_bytes = context.page_bytes() / page_count / 4 * 4;
  return kStateBytes + ChannelQuadScratchBytes(params.shape) +
         page_count * WeightPageStride(params.page_bytes);
}

Status RunConvolutionInQuads(RunContext& context) { return ConvQuadsRun(context).Run(); }

}  // namespace ota::engine
