// SPDX-License-Identifier: Apache-2.0
// FULLY_CONNECTED in int8 for cores with the DSP extension. Each weight is used once, so it is
// widened on the way; the inputs are widened before, a chunk at a time, for all channels of the
// tile.
#include <algorithm>

#include "engine/kernels/conv.h"
#include "engine/kernels/cortex_m/dot_rows.h"
#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine {
namespace {

constexpr uint32_t kChannelsMax = 16;
constexpr uint32_t kChunkTaps = 256;

/// Inputs less their zero point as halves, in the order in which weights are widened:
/// (x0, x2), (x1, x3) of each four; the last four filled with zeros.
void WidenInputs(const int8_t* input, uint32_t count, int32_t zero_point, uint32_t* target) {
  const uint32_t zero_points = dsp::PackHalves(zero_point, zero_point);
  for (; count >= 4; count -= 4, input += 4, target += 2) {
    const uint32_t word = dsp::LoadWord(input);
    target[0] = dsp::SubtractHalves(dsp::WidenEven(word), zero_points);
    target[1] = dsp::SubtractHalves(dsp::WidenOdd(word), zero_points);
  }
  if (count == 0) return;
  int32_t rest[4] = {};
  for (uint32_t i = 0; i < count; ++i) rest[i] = input[i] - zero_point;
  target[0] = dsp::PackHalves(rest[0], rest[2]);
  target[1] = dsp::PackHalves(rest[1], rest[3]);
}

/// Adds what is left behind whole groups of eight taps.
int32_t DotRest(const uint32_t* inputs, const uint8_t* weights, uint32_t count, int32_t sum) {
  for (; count >= 4; count -= 4, inputs += 2, weights += 4) {
    const uint32_t word = dsp::LoadWord(weights);
    sum = dsp::MultiplyPairs(dsp::WidenEven(word), inputs[0], sum);
    sum = dsp::MultiplyPairs(dsp::WidenOdd(word), inputs[1], sum);
  }
  if (count == 0) return sum;
  uint8_t rest[4] = {};
  for (uint32_t i = 0; i < count; ++i) rest[i] = weights[i];
  sum = dsp::MultiplyPairs(dsp::WidenEven(dsp::LoadWord(rest)), inputs[0], sum);
  return dsp::MultiplyPairs(dsp::WidenOdd(dsp::LoadWord(rest)), inputs[1], sum);
}

/// Adds a chunk of taps to the sums of all channels.
void AddChunk(const uint32_t* inputs, const uint8_t* weights, uint32_t taps, uint32_t row_taps,
              uint32_t channels, int32_t* sums) {
  const uint32_t whole = taps / 8 * 8;
  for (uint32_t channel = 0; channel < channels; channel += 2) {
    const bool has_both = channel + 1 < channels;
    const uint8_t* const row0 = weights + channel * row_taps;
    const uint8_t* const row1 = has_both ? row0 + row_taps : row0;
    int32_t sum0 = sums[channel];
    int32_t sum1 = 0;
    if (whole != 0) dsp::DotRows(inputs, row0, row1, whole / 8, sum0, sum1);
    sums[channel] = DotRest(inputs + whole / 2, row0 + whole, taps - whole, sum0);
    if (!has_both) return;
    sum1 = DotRest(inputs + whole / 2, row1 + whole, taps - whole, sum1);
    sums[channel + 1] = WrappingAdd(sums[channel + 1], sum1);
  }
}

int8_t Finish(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int32_t sum, bool is_fast) {
  const int32_t zero_point = job.range.output_zero_point;
  const int32_t result =
      is_fast ? dsp::RequantizeFast(sum, dsp::MakeFastTerm(term.multiplier, zero_point))
              : WrappingAdd(Requantize(sum, term.multiplier, job.rounding), zero_point);
  return static_cast<int8_t>(std::clamp(result, job.range.lowest, job.range.highest));
}

void ComputePixel(const ConvRows<ConvS8>& job, const int8_t* input, uint32_t first, uint32_t count,
                  int8_t* output) {
  const uint32_t taps = job.shape->input_channels;
  alignas(8) uint32_t inputs[kChunkTaps / 2];
  int32_t sums[kChannelsMax];
  for (uint32_t i = 0; i < count; ++i) sums[i] = job.terms[first + i].bias;
  const uint8_t* const weights = job.weights + first * taps;
  for (uint32_t at = 0; at < taps; at += kChunkTaps) {
    const uint32_t length = std::min(kChunkTaps, taps - at);
    WidenInputs(input + at, length, job.range.input_zero_point, inputs);
    AddChunk(inputs, weights + at, length, taps, count, sums);
  }
  const int64_t dot_limit = int64_t{taps} * 255 * 128;
  for (uint32_t i = 0; i < count; ++i) {
    const ChannelTermS8& term = job.terms[first + i];
    const int64_t limit = dot_limit + (term.bias < 0 ? -int64_t{term.bias} : term.bias);
    const bool is_fast = dsp::HasFastForm(term.multiplier, limit, job.rounding);
    output[i] = Finish(job, term, sums[i], is_fast);
  }
}

}  // namespace

void FullyConnectedS8(const ConvRows<ConvS8>& job, ChannelTermS8*) {
  const WindowShape& shape = *job.shape;
  for (uint32_t pixel = 0; pixel < shape.output_width; ++pixel) {
    const int8_t* const input = job.input + pixel * shape.input_channels;
    int8_t* const output = job.output + pixel * shape.output_channels + job.channel_begin;
    for (uint32_t first = 0; first < job.channel_count; first += kChannelsMax) {
      const uint32_t count = std::min(kChannelsMax, job.channel_count - first);
      ComputePixel(job, input, first, count, output + first);
    }
  }
}

}  // namespace ota::engine
