// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/channel_quads.h"

#include <algorithm>
#include <array>

#include "engine/kernels/cortex_m/fast_term.h"
#include "engine/kernels/cortex_m/pixel_quads.h"
#include "engine/kernels/cortex_m/quad_rows.h"

namespace ota::engine::dsp {
namespace {

constexpr uint32_t kChannelsMax = 64;

constexpr uint32_t kOnesCount = 64;
using Ones = std::array<uint8_t, kOnesCount>;

constexpr Ones MakeOnes() {
  Ones ones{};
  for (uint8_t& one : ones) one = 1;
  return ones;
}
constexpr Ones kOnes = MakeOnes();

/// Adds up the widened weights of each channel.
void SumWeights(const uint32_t* values, uint32_t tap_count, int32_t* sums) {
  for (uint32_t at = 0; at < tap_count; at += kOnesCount) {
    SumPixelQuad(values, kOnes.data(), std::min(kOnesCount, tap_count - at), sums);
    values += kOnesCount * kQuadTapBytes;
  }
}

/// Widens the weights of four channels and fills what does not depend on the pixels.
void FillChannels(const ConvRows<ConvS8>& job, const QuadLayout& layout, const uint32_t* channels,
                  uint32_t* values, ChannelQuads& run) {
  QuadSources sources = {{}, layout.tap_count / 4, 1, {}};
  for (uint32_t i = 0; i < 4; ++i) {
    sources.pixels[i] =
        reinterpret_cast<const int8_t*>(job.weights) + channels[i] * layout.tap_count;
  }
  WidenPixelQuad(sources, 0, values);
  int32_t sums[4] = {};
  SumWeights(values, layout.tap_count, sums);
  run.values = values;
  run.group_count = sources.group_count;
  for (uint32_t i = 0; i < 4; ++i) {
    const ChannelTermS8& term = job.terms[channels[i]];
    const FastTerm fast = FastTermOf(term, 2 * job.range.output_zero_point + 1);
    run.terms[i] = {fast.multiplier, fast.shift, fast.rounding};
    run.offsets[i] = channels[i];
    run.biases[i] = term.bias - job.range.input_zero_point * sums[i];
  }
}

int8_t* OutputOf(const ConvRows<ConvS8>& job, uint32_t row) {
  const uint32_t row_bytes = uint32_t{job.shape->output_width} * job.shape->output_channels;
  return job.output + row * row_bytes + job.channel_begin;
}

/// Runs all rows through four channels, which may be the same.
void ComputeRows(const ConvRows<ConvS8>& job, const QuadLayout& layout, const uint32_t* channels) {
  const WindowShape& shape = *job.shape;
  ChannelQuads run;
  FillChannels(job, layout, channels,
               reinterpret_cast<uint32_t*>(job.scratch + layout.header_bytes), run);
  run.pixel_step =
      shape.stride_width * shape.input_channels - static_cast<int32_t>(layout.tap_count);
  run.output_step = shape.output_channels;
  for (uint32_t row = job.row_begin; row < job.row_begin + job.row_count; ++row) {
    run.pixel = job.input + shape.InputRow(row) * shape.input_width * shape.input_channels;
    run.output = OutputOf(job, row);
    run.output_end = OutputOf(job, row + 1);
    ComputeChannelQuads(run);
  }
}

void FillConstant(const ConvRows<ConvS8>& job, uint32_t channel) {
  const int8_t* const end = OutputOf(job, job.row_begin + job.row_count) + channel;
  for (int8_t* output = OutputOf(job, job.row_begin) + channel; output != end;
       output += job.shape->output_channels) {
    *output = static_cast<int8_t>(job.terms[channel].bias);
  }
}

}  // namespace

bool IsForChannelQuads(const ConvRows<ConvS8>& job, const QuadLayout& layout) {
  const WindowShape& shape = *job.shape;
  const bool is_together = shape.window_height == 1 && layout.pieces_across == 1 &&
                           layout.is_aligned && !layout.is_padded;
  const bool is_narrow =
      job.channel_count <= kChannelsMax && job.channel_count < shape.output_channels;
  return is_together && is_narrow && layout.tap_count <= layout.chunk_taps_max &&
         WorstForm(job) != QuadForm::kGeneral;
}

void ComputeChannelQuadRows(const ConvRows<ConvS8>& job, const QuadLayout& layout) {
  uint32_t channels[4];
  uint32_t count = 0;
  for (uint32_t channel = 0; channel < job.channel_count; ++channel) {
    if (FormOf(job.terms[channel]) == QuadForm::kConstant) {
      FillConstant(job, channel);
      continue;
    }
    channels[count++] = channel;
    if (count < 4) continue;
    ComputeRows(job, layout, channels);
    count = 0;
  }
  if (count == 0) return;
  std::fill(channels + count, channels + 4, channels[count - 1]);
  ComputeRows(job, layout, channels);
}

}  // namespace ota::engine::dsp
