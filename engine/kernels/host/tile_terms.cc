// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/host/tile_terms.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/kernels/host/cheap_form.h"
#include "engine/kernels/host/vectors.h"

namespace ota::engine::host {

namespace {

constexpr int64_t kProductMax = 255 * 128;

int64_t ComputeSumLimit(const ChannelTermS8& term, uint32_t taps) {
  const int64_t bias = term.bias;
  return (bias < 0 ? -bias : bias) + taps * kProductMax;
}

struct Lanes {
  const int32_t* bias;
  const int32_t* multiplier;
  const int32_t* rounding;
  const int32_t* shift;
};

OTA_VECTOR_PART void RequantizeLanes(const Lanes& lanes, const ResultRange& range,
                                     const int32_t* sums, int8_t* results) {
  int32_t high[kLanes];
  for (uint32_t i = 0; i < kLanes; ++i) {
    high[i] = ComputeHigh(sums[i] + lanes.bias[i], lanes.multiplier[i]);
  }
  for (uint32_t i = 0; i < kLanes; ++i) {
    const int32_t value = FinishCheap(high[i], lanes.rounding[i], lanes.shift[i]);
    results[i] = static_cast<int8_t>(std::clamp(value, range.lowest, range.highest));
  }
}

OTA_VECTOR_CLONES void RequantizeAll(const Lanes& lanes, uint32_t period, const ResultRange& range,
                                     const int32_t* sums, uint32_t count, int8_t* results) {
  uint32_t lane = 0;
  for (uint32_t first = 0; first < count; first += kLanes) {
    const Lanes here = {lanes.bias + lane, lanes.multiplier + lane, lanes.rounding + lane,
                        lanes.shift + lane};
    RequantizeLanes(here, range, sums + first, results + first);
    lane = lane + kLanes == period ? 0 : lane + kLanes;
  }
}

}  // namespace

TileTerms::TileTerms(const ConvRows<ConvS8>& job, uint32_t taps) : job_(job) {
  const uint32_t period = std::lcm(job.channel_count, kLanes);
  if (period > kPeriodMax) return;
  for (uint32_t i = 0; i < period; ++i) {
    const ChannelTermS8& term = job.terms[i % job.channel_count];
    if (!HasCheapForm(term.multiplier, ComputeSumLimit(term, taps), job.rounding)) return;
    const CheapForm form = MakeCheapForm(term.multiplier, job.range.output_zero_point);
    bias_[i] = term.bias;
    multiplier_[i] = form.multiplier;
    rounding_[i] = form.rounding;
    shift_[i] = form.shift;
  }
  period_ = period;
}

void TileTerms::Requantize(const int32_t* sums, uint32_t pixel_count, int8_t* results) const {
  if (period_ != 0) {
    return RequantizeAll({bias_, multiplier_, rounding_, shift_}, period_, job_.range, sums,
                         pixel_count * job_.channel_count, results);
  }
  for (uint32_t pixel = 0; pixel < pixel_count; ++pixel) {
    for (uint32_t channel = 0; channel < job_.channel_count; ++channel) {
      *results++ = ReferenceFinish<ConvS8>(*sums++, job_.terms[channel], job_.range, job_.rounding);
    }
  }
}

void TileTerms::Store(int32_t* sums, uint32_t first, uint32_t pixel_count) const {
  const uint32_t stride = job_.shape->output_channels;
  const uint32_t count = job_.channel_count;
  int8_t buffer[kChunkElements];
  std::fill_n(sums + pixel_count * count, kLanes, 0);
  Requantize(sums, pixel_count, buffer);
  int8_t* output = job_.output + first * stride + job_.channel_begin;
  if (count == stride) {
    std::memcpy(output, buffer, pixel_count * count);
    return;
  }
  const int8_t* results = buffer;
  for (uint32_t pixel = 0; pixel < pixel_count; ++pixel, output += stride, results += count) {
    for (uint32_t i = 0; i < count; ++i) output[i] = results[i];
  }
}

}  // namespace ota::engine::host
