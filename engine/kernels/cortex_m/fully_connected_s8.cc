// SPDX-License-Identifier: Apache-2.0
// FULLY_CONNECTED in int8 for Cortex-M. Each weight is used once, so it is widened on the way; the
// inputs are widened before, a chunk at a time, for all channels.
#include <algorithm>
#include <span>

#include "engine/kernels/cortex_m/dot_rows.h"
#include "engine/kernels/cortex_m/fast_term.h"
#include "engine/kernels/dense.h"

namespace ota::engine {
namespace {

constexpr uint32_t kChannelsMax = 64;
constexpr uint32_t kChunkWords = 256;
/// Biases and dot products below this keep to the limit of the cheap form.
constexpr int32_t kPartLimit{dsp::kFastSumLimit / 2};
constexpr uint32_t kFastTapsMax = kPartLimit / (255 * 128);

class DenseRun {
 public:
  explicit DenseRun(const DenseRows<ConvS8>& job)
      : job_(job),
        whole_taps_(job.depth / dsp::kRowGroupTaps * dsp::kRowGroupTaps),
        is_fast_(job.multiplier_step == 0 && job.depth <= kFastTapsMax &&
                 dsp::HasFastForm(*job.multipliers, 0, job.rounding)) {}

  void Compute() {
    for (uint32_t pixel = 0; pixel < job_.pixel_count; ++pixel) {
      input_ = job_.input + pixel * job_.depth;
      int8_t* const output = job_.output + pixel * job_.output_step;
      for (first_ = 0; first_ < job_.channel_count; first_ += kChannelsMax) {
        count_ = std::min(kChannelsMax, job_.channel_count - first_);
        ComputeChannels(output + first_);
      }
    }
  }

 private:
  void ComputeChannels(int8_t* output) {
    const int32_t magnitudes = BeginSums();
    constexpr uint32_t kChunkTaps = sizeof(values_) / dsp::kQuadTapBytes;
    for (uint32_t at = 0; at < whole_taps_; at += kChunkTaps) {
      AddChunk(at, std::min(kChunkTaps, whole_taps_ - at));
    }
    if (whole_taps_ != job_.depth) AddRest();
    is_fast_&& magnitudes < kPartLimit ? FinishFast(output) : Finish(output);
  }

  /// Sums begin as biases; returns all bits that their magnitudes have.
  int32_t BeginSums() {
    if (job_.biases == nullptr) {
      std::fill_n(sums_, count_, 0);
      return 0;
    }
    const uint8_t* at = job_.biases + 4 * first_;
    int32_t magnitudes = 0;
    for (int32_t& sum : std::span(sums_, count_)) {
      sum = static_cast<int32_t>(LoadLe32(at));
      at += 4;
      magnitudes |= sum ^ (sum >> 31);
    }
    return magnitudes;
  }

  void AddChunk(uint32_t at, uint32_t taps) {
    const uint32_t groups = taps / dsp::kRowGroupTaps;
    if (widened_ != input_ + at) {
      widened_ = input_ + at;
      dsp::WidenRow(widened_, groups, job_.range.input_zero_point, values_);
    }
    const uint8_t* const row = RowOf(0) + at;
    dsp::DotRun run = {
        values_, groups, row, job_.depth, sums_, sums_ + count_, row + (count_ - 1) * job_.depth};
    dsp::DotRows(run);
  }

  /// What is left behind whole groups.
  void AddRest() {
    for (uint32_t i = 0; i < count_; ++i) {
      sums_[i] = ReferenceAccumulate<ConvS8>(sums_[i], input_ + whole_taps_, RowOf(i) + whole_taps_,
                                             job_.depth - whole_taps_, job_.range);
    }
  }

  void FinishFast(int8_t* output) const {
    const dsp::FastTerm term = dsp::MakeFastTerm(*job_.multipliers, job_.range.output_zero_point);
    int8_t* result = output;
    for (const int32_t sum : std::span(sums_, count_)) {
      *result++ = static_cast<int8_t>(dsp::RequantizeFast(sum, term));
    }
    const int32_t lowest = job_.range.lowest, highest = job_.range.highest;
    if (lowest <= INT8_MIN && highest >= INT8_MAX) return;
    for (int8_t& value : std::span(output, count_)) {
      value = static_cast<int8_t>(std::clamp<int32_t>(value, lowest, highest));
    }
  }

  void Finish(int8_t* output) const {
    for (uint32_t i = 0; i < count_; ++i) {
      const Multiplier& multiplier = job_.multipliers[(first_ + i) * job_.multiplier_step];
      output[i] = ReferenceFinish<ConvS8>(sums_[i], {0, multiplier}, job_.range, job_.rounding);
    }
  }

  const uint8_t* RowOf(uint32_t channel) const {
    return job_.weights + (first_ + channel) * job_.depth;
  }

  const DenseRows<ConvS8>& job_;
  const uint32_t whole_taps_;
  const bool is_fast_;               ///< unless biases are large
  const int8_t* input_ = nullptr;    ///< of the pixel
  const int8_t* widened_ = nullptr;  ///< what `values_` were made of
  uint32_t first_ = 0;               ///< of the channels whose sums are kept
  uint32_t count_ = 0;
  int32_t sums_[kChannelsMax];
  uint32_t values_[kChunkWords];
};
static_assert(kChannelsMax % dsp::kRowsTogether == 0);

}  // namespace

void FullyConnectedS8(const DenseRows<ConvS8>& job) { DenseRun(job).Compute(); }

}  // namespace ota::engine
