// SPDX-License-Identifier: Apache-2.0
// FULLY_CONNECTED in int8 for Cortex-M. Each weight is used once, so it is widened on the way; the
// inputs are widened before, a chunk at a time, for all channels of the tile.
#include <algorithm>
#include <span>

#include "engine/kernels/conv.h"
#include "engine/kernels/cortex_m/dot_rows.h"
#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine {
namespace {

constexpr uint32_t kChannelsMax = 32;
constexpr uint32_t kChunkWords = 256;
/// Biases and dot products below this keep to the limit of the cheap form.
constexpr int32_t kPartLimit = dsp::kFastSumLimit / 2;
constexpr uint32_t kFastTapsMax = kPartLimit / (255 * 128);

class Pixel {
 public:
  Pixel(const ConvRows<ConvS8>& job, const int8_t* input, uint32_t first, uint32_t count)
      : job_(job),
        taps_(job.shape->input_channels),
        whole_taps_(taps_ / dsp::kRowGroupTaps * dsp::kRowGroupTaps),
        input_(input),
        weights_(job.weights + first * taps_),
        terms_(job.terms + first),
        count_(count) {}

  void Compute(int8_t* output) {
    const bool is_uniform = BeginSums();
    const uint32_t chunk_taps = sizeof(values_) / dsp::kRowTapBytes;
    for (uint32_t at = 0; at < whole_taps_; at += chunk_taps) {
      AddChunk(at, std::min(chunk_taps, whole_taps_ - at));
    }
    if (whole_taps_ != taps_) AddRest();
    if (is_uniform) return FinishUniform(output);
    for (uint32_t i = 0; i < count_; ++i) output[i] = Finish(sums_[i], terms_[i]);
  }

 private:
  /// Sums begin as biases. Whether one cheap form serves all.
  bool BeginSums() {
    const Multiplier shared = terms_[0].multiplier;
    int32_t differences = 0, magnitudes = 0;
    int32_t* sum = sums_;
    for (const ChannelTermS8& term : std::span(terms_, count_)) {
      *sum++ = term.bias;
      differences |= term.multiplier.value ^ shared.value;
      differences |= term.multiplier.shift ^ shared.shift;
      magnitudes |= term.bias ^ (term.bias >> 31);
    }
    return differences == 0 && IsFast(terms_[0]) && magnitudes < kPartLimit;
  }

  void AddChunk(uint32_t at, uint32_t taps) {
    const uint32_t groups = taps / dsp::kRowGroupTaps;
    dsp::WidenRow(input_ + at, groups, job_.range.input_zero_point, values_);
    const uint8_t* row = weights_ + at;
    uint32_t channel = 0;
    for (; channel + 4 <= count_; channel += 4, row += 4 * taps_) {
      const uint8_t* const rows[4] = {row, row + taps_, row + 2 * taps_, row + 3 * taps_};
      dsp::DotRowQuad(values_, rows, groups, sums_ + channel);
    }
    const uint32_t left = count_ - channel;
    if (left == 0) return;
    const uint8_t* const last = row + (left - 1) * taps_;
    const uint8_t* const rows[4] = {row, std::min(row + taps_, last),
                                    std::min(row + 2 * taps_, last), last};
    dsp::DotRowQuad(values_, rows, groups, sums_ + channel);
  }

  /// What is left behind whole groups.
  void AddRest() {
    for (uint32_t channel = 0; channel < count_; ++channel) {
      const uint8_t* const row = weights_ + channel * taps_;
      for (uint32_t tap = whole_taps_; tap < taps_; ++tap) {
        const int32_t value = input_[tap] - job_.range.input_zero_point;
        sums_[channel] = WrappingAdd(sums_[channel], value * static_cast<int8_t>(row[tap]));
      }
    }
  }

  bool IsFast(const ChannelTermS8& term) const {
    return term.bias < kPartLimit && term.bias > -kPartLimit && taps_ <= kFastTapsMax &&
           dsp::HasFastForm(term.multiplier, 0, job_.rounding);
  }

  void FinishUniform(int8_t* output) const {
    const dsp::FastTerm fast =
        dsp::MakeFastTerm(terms_[0].multiplier, job_.range.output_zero_point);
    int8_t* result = output;
    for (const int32_t sum : std::span(sums_, count_)) {
      *result++ = static_cast<int8_t>(dsp::RequantizeFast(sum, fast));
    }
    if (job_.range.lowest <= INT8_MIN && job_.range.highest >= INT8_MAX) return;
    for (uint32_t i = 0; i < count_; ++i) output[i] = Clamp(output[i]);
  }

  int8_t Finish(int32_t sum, const ChannelTermS8& term) const {
    const int32_t zero_point = job_.range.output_zero_point;
    if (IsFast(term)) {
      return Clamp(dsp::RequantizeFast(sum, dsp::MakeFastTerm(term.multiplier, zero_point)));
    }
    return Clamp(WrappingAdd(Requantize(sum, term.multiplier, job_.rounding), zero_point));
  }

  int8_t Clamp(int32_t result) const {
    return static_cast<int8_t>(std::clamp(result, job_.range.lowest, job_.range.highest));
  }

  const ConvRows<ConvS8>& job_;
  const uint32_t taps_;
  const uint32_t whole_taps_;
  const int8_t* const input_;
  const uint8_t* const weights_;
  const ChannelTermS8* const terms_;
  const uint32_t count_;
  int32_t sums_[kChannelsMax];
  uint32_t values_[kChunkWords];
};

}  // namespace

void FullyConnectedS8(const ConvRows<ConvS8>& job, ChannelTermS8*) {
  const WindowShape& shape = *job.shape;
  for (uint32_t pixel = 0; pixel < shape.output_width; ++pixel) {
    const int8_t* const input = job.input + pixel * shape.input_channels;
    int8_t* const output = job.output + pixel * shape.output_channels + job.channel_begin;
    for (uint32_t first = 0; first < job.channel_count; first += kChannelsMax) {
      const uint32_t count = std::min(kChannelsMax, job.channel_count - first);
      Pixel(job, input, first, count).Compute(output + first);
    }
  }
}

}  // namespace ota::engine
