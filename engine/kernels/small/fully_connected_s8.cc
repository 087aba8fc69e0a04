// SPDX-License-Identifier: Apache-2.0
// FULLY_CONNECTED in int8 in little code: four channels at a time share the widened inputs.
#include <algorithm>

#include "engine/kernels/cortex_m/fast_term.h"
#include "engine/kernels/dense.h"
#include "engine/kernels/small/dense_dots.h"

namespace ota::engine {
namespace {

/// Sums below it, with biases below it, keep to the limit of the cheap form.
constexpr int32_t kPartLimit = dsp::kFastSumLimit / 2;
constexpr uint32_t kFastTapsMax = kPartLimit / (255 * 128);

class DenseRun {
 public:
  explicit DenseRun(const DenseRows<ConvS8>& job)
      : job_(job),
        whole_(job.depth / 4 * 4),
        is_fast_(job.multiplier_step == 0 && job.depth <= kFastTapsMax &&
                 dsp::HasFastForm(*job.multipliers, 0, job.rounding)),
        fast_(is_fast_ ? dsp::MakeFastTerm(*job.multipliers, job.range.output_zero_point)
                       : dsp::FastTerm{}) {}

  void Compute(const int8_t* input, int8_t* output) const {
    const int32_t zero_point = -job_.range.input_zero_point;
    DenseDots dots = {};
    dots.input = input;
    dots.input_end = input + whole_;
    dots.zero_points = dsp::PackHalves(zero_point, zero_point);
    for (uint32_t channel = 0; channel < job_.channel_count;) {
      const bool is_quad = job_.channel_count - channel >= kDotRows;
      dots.row = RowOf(channel);
      dots.row_step = is_quad ? job_.depth : 0;
      if (whole_ != 0) ComputeDenseDots(dots);
      for (uint32_t i = 0; i < (is_quad ? kDotRows : 1); ++i, ++channel) {
        output[channel] = Finish(channel, input, dots.sums[i]);
      }
    }
  }

 private:
  const uint8_t* RowOf(uint32_t channel) const { return job_.weights + channel * job_.depth; }

  int8_t Finish(uint32_t channel, const int8_t* input, int32_t sum) const {
    if (whole_ != job_.depth) {
      sum = ReferenceAccumulate<ConvS8>(sum, input + whole_, RowOf(channel) + whole_,
                                        job_.depth - whole_, job_.range);
    }
    const ChannelTermS8 term = job_.TermOf(channel);
    const bool is_near = term.bias < kPartLimit && term.bias > -kPartLimit;
    if (!is_fast_ || !is_near) {
      return ReferenceFinish<ConvS8>(sum, term, job_.range, job_.rounding);
    }
    const int32_t result = dsp::RequantizeFast(sum + term.bias, fast_);
    return static_cast<int8_t>(std::clamp(result, job_.range.lowest, job_.range.highest));
  }

  const DenseRows<ConvS8>& job_;
  const uint32_t whole_;
  const bool is_fast_;
  const dsp::FastTerm fast_;
};

}  // namespace

void FullyConnectedS8(const DenseRows<ConvS8>& job) {
  const DenseRun run(job);
  for (uint32_t pixel = 0; pixel < job.pixel_count; ++pixel) {
    run.Compute(job.input + pixel * job.depth, job.output + pixel * job.output_step);
  }
}

}  // namespace ota::engine
