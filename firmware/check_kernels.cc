// SPDX-License-Identifier: Apache-2.0
// The int8 kernels of this target against the reference kernels, bit for bit, on random shapes and
// values. Prints the round that differs.
#include <algorithm>

#include "base/prng.h"
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/dense.h"
#include "engine/kernels/sum.h"
#include "firmware/board.h"

namespace ota::firmware {
namespace {

using engine::ChannelTermS8;
using engine::ConvRows;
using engine::ConvS8;
using engine::WindowShape;

constexpr uint32_t kRounds = 400;
constexpr uint32_t kBytesMax = 64 * 1024;
constexpr uint32_t kChannelsMax = 64;
constexpr uint8_t kGuard = 0x5A;

enum class Kind : uint32_t { kFull, kDepthwise, kQuads };
constexpr uint32_t kKindCount = 3;

alignas(8) int8_t input[kBytesMax];
alignas(8) uint8_t weight_memory[8 + kBytesMax];  // bytes before weights can be read
uint8_t* const weights = weight_memory + 8;
alignas(8) int8_t expected[kBytesMax];
alignas(8) int8_t output[kBytesMax];
alignas(8) uint8_t scratch[kBytesMax];
ChannelTermS8 terms[kChannelsMax];
ChannelTermS8 tile_terms[kChannelsMax];

uint16_t Pick(Prng& prng, uint32_t lowest, uint32_t highest) {
  return static_cast<uint16_t>(lowest + prng.NextBelow(highest - lowest + 1));
}

WindowShape RandomWindow(Prng& prng) {
  WindowShape shape{};
  shape.batch_count = 1;
  shape.input_height = Pick(prng, 1, 9);
  shape.input_width = Pick(prng, 1, 11);
  shape.window_height = Pick(prng, 1, 4);
  shape.window_width = Pick(prng, 1, 4);
  shape.stride_height = Pick(prng, 1, 2);
  shape.stride_width = Pick(prng, 1, 3);
  shape.dilation_height = prng.NextBelow(4) == 0 ? 2 : 1;
  shape.dilation_width = prng.NextBelow(4) == 0 ? 2 : 1;
  shape.padding_top = Pick(prng, 0, shape.window_height - 1u);
  shape.padding_left = Pick(prng, 0, shape.window_width - 1u);
  shape.output_height = static_cast<uint16_t>(1 + (shape.input_height - 1) / shape.stride_height);
  shape.output_width = static_cast<uint16_t>(1 + (shape.input_width - 1) / shape.stride_width);
  return shape;
}

WindowShape RandomShape(Prng& prng, Kind kind) {
  WindowShape shape = RandomWindow(prng);
  if (kind == Kind::kDepthwise) {
    const bool is_single = prng.NextBelow(3) == 0;
    shape.window_channels = 1;
    shape.input_channels = is_single ? 1 : static_cast<uint16_t>(4 * Pick(prng, 1, 3));
    shape.output_channels = is_single ? Pick(prng, 2, 8) : shape.input_channels;
    if (is_single && prng.NextBelow(2) == 0) shape.window_height = shape.window_width = 9;
    if (!is_single && prng.NextBelow(2) == 0) {
      shape.window_height = shape.window_width = 3;
      shape.dilation_height = shape.dilation_width = 1;
    }
    return shape;
  }
  shape.input_channels = prng.NextBelow(3) == 0 ? Pick(prng, 12, 100) : Pick(prng, 1, 12);
  if (kind == Kind::kQuads) shape.input_channels = static_cast<uint16_t>(4 * Pick(prng, 1, 20));
  shape.window_channels = shape.input_channels;
  shape.output_channels = Pick(prng, 1, 20);
  return shape;
}

/// Most as models have them; some dead, some with shifts that need the general form.
ChannelTermS8 RandomTerm(Prng& prng) {
  const auto value = static_cast<int32_t>((1u << 30) + prng.NextBelow(1u << 30));
  const auto bias = static_cast<int32_t>(prng.NextBelow(40000)) - 20000;
  switch (prng.NextBelow(20)) {
    case 0:
      return {bias, {value, static_cast<int32_t>(prng.NextBelow(3))}};
    case 1:
      return {bias, {value, -30}};
    case 2:
      return {bias * 50000, {value, -20}};
    default:
      return {bias, {value, -1 - static_cast<int32_t>(prng.NextBelow(12))}};
  }
}

/// Gives a quad its next channels, their weights in two pieces; returns the channel after them.
uint32_t FillQuad(const ConvRows<ConvS8>& job, uint32_t window, uint32_t channel,
                  engine::ChannelQuadS8& quad) {
  const WindowShape& shape = *job.shape;
  const uint32_t half = window / 8 * 4;
  for (; quad.count < engine::kQuadChannels && channel < shape.output_channels; ++channel) {
    ChannelTermS8& term = quad.terms[quad.count] = terms[channel];
    quad.channels[quad.count] = channel;
    if (!engine::BeginQuadTermS8(job, term)) {
      const uint32_t pixels = uint32_t{shape.output_height} * shape.output_width;
      for (uint32_t i = 0; i < pixels; ++i) {
        job.output[i * shape.output_channels + channel] = static_cast<int8_t>(term.bias);
      }
      continue;
    }
    const uint8_t* const at = weights + channel * window;
    engine::FillQuadS8(job, quad, quad.count, 0, half, at);
    engine::FillQuadS8(job, quad, quad.count, half, window - half, at + half);
    ++quad.count;
  }
  return channel;
}

void RunQuads(ConvRows<ConvS8> job, uint32_t window) {
  const WindowShape& shape = *job.shape;
  for (uint32_t channel = 0; channel < shape.output_channels;) {
    engine::ChannelQuadS8 quad{};
    channel = FillQuad(job, window, channel, quad);
    for (job.row_begin = 0; quad.count != 0 && job.row_begin < shape.output_height;
         job.row_begin += 2) {
      job.row_count = std::min<uint32_t>(2, shape.output_height - job.row_begin);
      engine::QuadRowsS8(job, quad);
    }
  }
}

/// Runs the target's kernels tile by tile, some rows at a time.
void RunKernels(ConvRows<ConvS8> job, Kind kind) {
  const WindowShape& shape = *job.shape;
  const bool is_depthwise = kind == Kind::kDepthwise;
  const uint32_t tile =
      is_depthwise ? engine::DepthwiseTileChannelsS8(shape) : engine::ConvTileChannelsS8(shape);
  const uint32_t channel_weights =
      is_depthwise ? 1 : uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  for (uint32_t first = 0; first < shape.output_channels; first += tile) {
    job.channel_begin = first;
    job.channel_count = std::min<uint32_t>(tile, shape.output_channels - first);
    job.weights = weights + first * channel_weights;
    std::copy_n(terms + first, job.channel_count, tile_terms);
    job.terms = tile_terms;
    is_depthwise ? engine::BeginDepthwiseTileS8(job, tile_terms)
                 : engine::BeginConvTileS8(job, tile_terms);
    for (job.row_begin = 0; job.row_begin < shape.output_height; job.row_begin += 2) {
      job.row_count = std::min<uint32_t>(2, shape.output_height - job.row_begin);
      is_depthwise ? engine::DepthwiseRowsS8(job) : engine::ConvRowsS8(job);
    }
  }
}

void FillRandom(Prng& prng, void* target, uint32_t bytes) {
  auto* const at = static_cast<uint8_t*>(target);
  for (uint32_t i = 0; i < bytes; ++i) at[i] = static_cast<uint8_t>(prng.Next());
}

bool CheckShape(Prng& prng, Kind kind) {
  const WindowShape shape = RandomShape(prng, kind);
  const uint32_t window =
      uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  FillRandom(prng, input, uint32_t{shape.input_height} * shape.input_width * shape.input_channels);
  FillRandom(prng, weights, window * shape.output_channels);
  for (uint32_t i = 0; i < shape.output_channels; ++i) terms[i] = RandomTerm(prng);
  ConvRows<ConvS8> job{};
  job.shape = &shape;
  job.range = {Pick(prng, 0, 255) - 128, Pick(prng, 0, 255) - 128, -128, 127, 0.0f, 0.0f};
  if (prng.NextBelow(4) == 0) job.range.highest = 90;
  job.rounding =
      prng.NextBelow(8) == 0 ? engine::RoundingMode::kSingle : engine::RoundingMode::kDouble;
  job.input = input;
  job.weights = weights;
  job.weight_stride = job.channel_count = shape.output_channels;
  job.terms = terms;
  job.row_count = shape.output_height;
  job.scratch = scratch;
  std::fill_n(expected, kBytesMax, static_cast<int8_t>(kGuard));
  std::fill_n(output, kBytesMax, static_cast<int8_t>(kGuard));
  job.output = expected;
  kind == Kind::kDepthwise ? engine::ReferenceDepthwiseRows(job) : engine::ReferenceConvRows(job);
  job.output = output;
  const bool is_quads = kind == Kind::kQuads && engine::IsForChannelQuads(shape);
  is_quads ? RunQuads(job, window) : RunKernels(job, kind);
  return std::equal(output, output + kBytesMax, expected);
}

bool CheckDense(Prng& prng) {
  engine::DenseRows<ConvS8> job{};
  job.depth = Pick(prng, 1, 700);
  job.channel_count = job.output_step = Pick(prng, 1, kChannelsMax);
  job.pixel_count = Pick(prng, 1, 2);
  job.range = {Pick(prng, 0, 255) - 128, Pick(prng, 0, 255) - 128, -128, 127, 0.0f, 0.0f};
  if (prng.NextBelow(4) == 0) job.range.highest = 90;
  job.rounding =
      prng.NextBelow(8) == 0 ? engine::RoundingMode::kSingle : engine::RoundingMode::kDouble;
  FillRandom(prng, input, job.depth * job.pixel_count);
  FillRandom(prng, weights, job.depth * job.channel_count);
  alignas(4) uint8_t biases[4 * kChannelsMax + 1];
  engine::Multiplier multipliers[kChannelsMax];
  for (uint32_t i = 0; i < job.channel_count; ++i) {
    const ChannelTermS8 term = RandomTerm(prng);
    StoreLe32(biases + 1 + 4 * i, static_cast<uint32_t>(term.bias));
    multipliers[i] = term.multiplier;
  }
  job.input = input;
  job.weights = weights;
  job.biases = biases + 1;
  job.multipliers = multipliers;
  job.multiplier_step = prng.NextBelow(2);
  std::fill_n(expected, kBytesMax, static_cast<int8_t>(kGuard));
  std::fill_n(output, kBytesMax, static_cast<int8_t>(kGuard));
  job.output = expected;
  ReferenceDenseRows(job);
  job.output = output;
  FullyConnectedS8(job);
  return std::equal(output, output + kBytesMax, expected);
}

bool CheckSum(Prng& prng) {
  constexpr uint32_t kCount = 64;
  engine::SumS8 sum;
  const auto value = [&prng] {
    return static_cast<int32_t>((1u << 30) + prng.NextBelow(1u << 30));
  };
  sum.multipliers[0] = {1 << 30, 0};
  sum.multipliers[1] = {value(), -static_cast<int32_t>(prng.NextBelow(12))};
  sum.multipliers[2] = {value(), -static_cast<int32_t>(Pick(prng, 15, 22))};
  for (int32_t& zero_point : sum.zero_points) zero_point = Pick(prng, 0, 255) - 128;
  sum.lowest = -128;
  sum.highest = 127;
  sum.is_difference = prng.NextBelow(2) == 0;
  sum.rounding = engine::RoundingMode::kDouble;
  FillRandom(prng, input, 2 * kCount);
  engine::SumRowS8 row = {input, input + kCount, output, 1, 1, kCount};
  engine::ComputeSumRowS8(sum, row);
  row.output = expected;
  engine::ReferenceSumRowS8(sum, row);
  return std::equal(output, output + kCount, expected);
}

}  // namespace

uint8_t RunApplication() {
  Prng prng(3);
  for (uint32_t round = 0; round < kRounds; ++round) {
    const uint32_t kind = round % (kKindCount + 1);
    const bool is_equal = kind == kKindCount
                              ? CheckDense(prng)
                              : CheckShape(prng, static_cast<Kind>(kind)) && CheckSum(prng);
    if (is_equal) continue;
    WriteConsole("differs in round ");
    WriteConsole(uint64_t{round});
    WriteConsole("\n");
    return 1;
  }
  WriteConsole("kernels equal the reference\n");
  return 0;
}

}  // namespace ota::firmware
