// SPDX-License-Identifier: Apache-2.0
#pragma once

// The int8 kernels that a test links against the reference kernels, bit for bit, on random shapes
// and values.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/prng.h"
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/dense.h"
#include "engine/kernels/sum.h"

namespace ota::engine {

constexpr int kKernelRounds = 600;
/// Structures in the scratch hold pointers, which are larger on a host.
constexpr uint32_t kHostSlackBytes = 1024;
constexpr int8_t kGuard = 0x5A;
/// Of weights, that can be read (conv.h).
constexpr uint32_t kBytesBefore = 3;

class Operands {
 public:
  Operands(Prng& prng, const WindowShape& shape, uint32_t weight_count) : shape_(shape) {
    input_.resize(uint32_t{shape.input_height} * shape.input_width * shape.input_channels);
    for (int8_t& value : input_) value = static_cast<int8_t>(prng.Next());
    weights_.resize(kBytesBefore + weight_count);
    for (uint8_t& value : weights_) value = static_cast<uint8_t>(prng.Next());
    for (uint32_t i = 0; i < shape.output_channels; ++i) terms_.push_back(RandomTerm(prng));
    const bool is_clamped = prng.NextBelow(4) == 0;
    job_.shape = &shape_;
    job_.range = {static_cast<int32_t>(prng.NextBelow(256)) - 128,
                  static_cast<int32_t>(prng.NextBelow(256)) - 128,
                  is_clamped ? -100 : -128,
                  is_clamped ? 90 : 127,
                  0.0f,
                  0.0f};
    job_.rounding = prng.NextBelow(8) == 0 ? RoundingMode::kSingle : RoundingMode::kDouble;
    job_.input = input_.data();
    job_.weight_stride = shape.output_channels;
    const uint32_t bytes = std::max({ConvScratchBytesS8(shape), DepthwiseScratchBytesS8(shape),
                                     ChannelQuadScratchBytes(shape)});
    scratch_.resize((kHostSlackBytes + bytes + 7) / 8);
    job_.scratch = reinterpret_cast<uint8_t*>(scratch_.data());
  }

  ConvRows<ConvS8>& job() { return job_; }
  std::vector<ChannelTermS8>& terms() { return terms_; }
  const uint8_t* weights() const { return weights_.data() + kBytesBefore; }

  /// An output with a guard behind it.
  std::vector<int8_t> MakeOutput() const {
    return std::vector<int8_t>(
        uint32_t{shape_.output_height} * shape_.output_width * shape_.output_channels + 4, kGuard);
  }

 private:
  /// Most as models have them; some dead, some with shifts that need the general form.
  static ChannelTermS8 RandomTerm(Prng& prng) {
    const auto value = static_cast<int32_t>((1u << 30) + prng.NextBelow(1u << 30));
    const auto bias = static_cast<int32_t>(prng.NextBelow(40000)) - 20000;
    switch (prng.NextBelow(20)) {
      case 0:
        return {bias, {value, static_cast<int32_t>(prng.NextBelow(3))}};
      case 1:
        return {bias, {value, -30}};
      case 2:
        return {bias * 50000, {value, -20}};
      case 3:
        return {bias, {0, 0}};
      default:
        return {bias, {value, -1 - static_cast<int32_t>(prng.NextBelow(12))}};
    }
  }

  WindowShape shape_;
  std::vector<int8_t> input_;
  std::vector<uint8_t> weights_;
  std::vector<ChannelTermS8> terms_;
  std::vector<uint64_t> scratch_;
  ConvRows<ConvS8> job_{};
};

inline uint16_t Pick(Prng& prng, uint32_t lowest, uint32_t highest) {
  return static_cast<uint16_t>(lowest + prng.NextBelow(highest - lowest + 1));
}

inline WindowShape RandomShape(Prng& prng) {
  WindowShape shape{};
  shape.batch_count = 1;
  shape.input_height = Pick(prng, 1, 11);
  shape.input_width = prng.NextBelow(6) == 0 ? Pick(prng, 30, 70) : Pick(prng, 1, 11);
  shape.input_channels = Pick(prng, 1, 12);
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

/// Gives a shape windows of one tap in each of many rows.
inline void MakeTall(Prng& prng, WindowShape& shape) {
  shape.input_channels = 1;
  shape.window_height = Pick(prng, 250, 256);
  shape.window_width = 1;
  shape.padding_top = Pick(prng, 240, shape.window_height - 1u);
  shape.padding_left = 0;
}

/// Runs all tiles, some rows at a time.
template <typename Begin, typename Rows>
void RunTiles(Operands& operands, uint32_t tile_channels, uint32_t channel_weights, Begin begin,
              Rows rows) {
  ConvRows<ConvS8> job = operands.job();
  const WindowShape& shape = *job.shape;
  for (uint32_t first = 0; first < shape.output_channels; first += tile_channels) {
    job.channel_begin = first;
    job.channel_count = std::min<uint32_t>(tile_channels, shape.output_channels - first);
    std::vector<ChannelTermS8> terms(operands.terms().begin() + first,
                                     operands.terms().begin() + first + job.channel_count);
    job.terms = terms.data();
    job.weights = operands.weights() + first * channel_weights;
    begin(job, terms.data());
    for (job.row_begin = 0; job.row_begin < shape.output_height; job.row_begin += 2) {
      job.row_count = std::min<uint32_t>(2, shape.output_height - job.row_begin);
      rows(job);
    }
  }
}

inline std::vector<int8_t> Reference(Operands& operands, uint32_t channel_weights,
                                     void (*rows)(const ConvRows<ConvS8>&)) {
  std::vector<int8_t> output = operands.MakeOutput();
  operands.job().output = output.data();
  RunTiles(
      operands, operands.job().shape->output_channels, channel_weights, [](const auto&, auto*) {},
      rows);
  return output;
}

/// Channels of a tile, at most, of a shape.
using CountChannels = uint32_t (*)(const WindowShape&);

inline void ExpectConvolutionsEqualTheReference(CountChannels count_channels) {
  Prng prng(3);
  for (int round = 0; round < kKernelRounds; ++round) {
    WindowShape shape = RandomShape(prng);
    if (round % 3 == 0) shape.input_channels = Pick(prng, 12, 200);
    if (round % 8 == 1) MakeTall(prng, shape);
    shape.window_channels = shape.input_channels;
    shape.output_channels = round % 8 == 0 ? Pick(prng, 10, 70) : Pick(prng, 1, 9);
    const uint32_t window =
        uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
    Operands operands(prng, shape, window * shape.output_channels);
    const auto expected = Reference(operands, window, ReferenceConvRows<ConvS8>);
    std::vector<int8_t> output = operands.MakeOutput();
    operands.job().output = output.data();
    RunTiles(operands, count_channels(shape), window, BeginConvTileS8, ConvRowsS8);
    ASSERT_EQ(output, expected) << "round " << round;
  }
}

/// Gives the kernel the weights of some channels, piece by piece; returns the channel after them.
inline uint32_t FillQuad(Prng& prng, Operands& operands, uint32_t window, uint32_t channel,
                         ChannelQuadS8& quad) {
  ConvRows<ConvS8>& job = operands.job();
  const uint32_t wanted = 1 + prng.NextBelow(kQuadChannels);
  for (quad.count = 0; quad.count < wanted && channel < job.shape->output_channels; ++channel) {
    ChannelTermS8& term = quad.terms[quad.count] = operands.terms()[channel];
    quad.channels[quad.count] = channel;
    if (!BeginQuadTermS8(job, term)) {
      const uint32_t pixels = uint32_t{job.shape->output_height} * job.shape->output_width;
      for (uint32_t i = 0; i < pixels; ++i) {
        job.output[i * job.shape->output_channels + channel] = static_cast<int8_t>(term.bias);
      }
      continue;
    }
    const uint8_t* const weights = operands.weights() + channel * window;
    for (uint32_t at = 0, count; at < window; at += count) {
      count = std::min(window - at, 4 + 4 * prng.NextBelow(30));
      FillQuadS8(job, quad, quad.count, at, count, weights + at);
    }
    ++quad.count;
  }
  return channel;
}

inline void ExpectChannelQuadsEqualTheReference() {
  Prng prng(13);
  for (int round = 0, computed = 0; computed < kKernelRounds / 2; ++round) {
    WindowShape shape = RandomShape(prng);
    shape.input_channels = shape.window_channels = static_cast<uint16_t>(4 * Pick(prng, 1, 40));
    shape.output_channels = Pick(prng, 1, 20);
    if (!IsForChannelQuads(shape)) continue;
    ++computed;
    const uint32_t window =
        uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
    Operands operands(prng, shape, window * shape.output_channels);
    const auto expected = Reference(operands, window, ReferenceConvRows<ConvS8>);
    std::vector<int8_t> output = operands.MakeOutput();
    ConvRows<ConvS8>& job = operands.job();
    job.output = output.data();
    for (uint32_t channel = 0; channel < shape.output_channels;) {
      ChannelQuadS8 quad{};
      channel = FillQuad(prng, operands, window, channel, quad);
      for (job.row_begin = 0; quad.count != 0 && job.row_begin < shape.output_height;
           job.row_begin += 2) {
        job.row_count = std::min<uint32_t>(2, shape.output_height - job.row_begin);
        QuadRowsS8(job, quad);
      }
    }
    ASSERT_EQ(output, expected) << "round " << round;
  }
}

inline void ExpectDepthwiseConvolutionsEqualTheReference(CountChannels count_channels) {
  Prng prng(5);
  for (int round = 0; round < kKernelRounds; ++round) {
    WindowShape shape = RandomShape(prng);
    shape.window_channels = 1;
    if (round % 2 == 0) shape.input_channels = static_cast<uint16_t>(4 * Pick(prng, 1, 3));
    if (round % 4 == 0) {
      shape.window_height = shape.window_width = 3;
      shape.dilation_height = shape.dilation_width = 1;
    }
    if (round % 8 == 1) shape.input_channels = 1;
    if (round % 8 == 3) shape.input_channels = Pick(prng, 13, 80);
    if (round % 16 == 1) shape.window_height = shape.window_width = Pick(prng, 8, 10);
    if (round % 16 == 9) MakeTall(prng, shape);
    const bool is_single = shape.input_channels == 1;
    const uint16_t multiplier = is_single ? Pick(prng, 1, 8) : prng.NextBelow(6) == 0 ? 2 : 1;
    shape.output_channels = static_cast<uint16_t>(shape.input_channels * multiplier);
    const uint32_t taps = uint32_t{shape.window_height} * shape.window_width;
    Operands operands(prng, shape, taps * shape.output_channels);
    const auto expected = Reference(operands, 1, ReferenceDepthwiseRows<ConvS8>);
    std::vector<int8_t> output = operands.MakeOutput();
    operands.job().output = output.data();
    RunTiles(operands, count_channels(shape), 1, BeginDepthwiseTileS8, DepthwiseRowsS8);
    ASSERT_EQ(output, expected) << "round " << round;
  }
}

inline void ExpectFullyConnectedEqualsTheReference() {
  Prng prng(7);
  for (int round = 0; round < kKernelRounds; ++round) {
    WindowShape shape{};
    shape.input_height = shape.output_height = 1;
    shape.window_height = shape.window_width = 1;
    shape.stride_height = shape.stride_width = 1;
    shape.dilation_height = shape.dilation_width = 1;
    shape.input_width = shape.output_width = Pick(prng, 1, 3);
    shape.input_channels = Pick(prng, 1, round % 5 == 0 ? 1200 : 600);
    shape.output_channels = Pick(prng, 1, round % 4 == 0 ? 70 : 20);
    Operands operands(prng, shape, uint32_t{shape.input_channels} * shape.output_channels);
    std::vector<uint8_t> biases(1);  // misaligned, as a file may have them
    std::vector<Multiplier> multipliers;
    for (const ChannelTermS8& term : operands.terms()) {
      biases.resize(biases.size() + 4);
      StoreLe32(&biases[biases.size() - 4], static_cast<uint32_t>(term.bias));
      multipliers.push_back(term.multiplier);
    }
    DenseRows<ConvS8> job{};
    job.range = operands.job().range;
    job.rounding = operands.job().rounding;
    job.input = operands.job().input;
    job.weights = operands.weights();
    job.biases = prng.NextBelow(8) == 0 ? nullptr : &biases[1];
    job.multipliers = multipliers.data();
    job.multiplier_step = prng.NextBelow(3) == 0 ? 1 : 0;
    job.depth = shape.input_channels;
    job.channel_count = job.output_step = shape.output_channels;
    job.pixel_count = shape.input_width;
    std::vector<int8_t> expected = operands.MakeOutput();
    job.output = expected.data();
    ReferenceDenseRows(job);
    std::vector<int8_t> output = operands.MakeOutput();
    job.output = output.data();
    FullyConnectedS8(job);
    ASSERT_EQ(output, expected) << "round " << round;
  }
}

/// Multipliers as ADD and SUB have them: one half for the larger scale, at most that for the other.
inline SumS8 RandomSum(Prng& prng) {
  SumS8 sum;
  const auto value = [&prng] {
    return static_cast<int32_t>((1u << 30) + prng.NextBelow(1u << 30));
  };
  sum.multipliers[0] = {1 << 30, 0};
  sum.multipliers[1] = {value(), -static_cast<int32_t>(prng.NextBelow(12))};
  if (prng.NextBelow(2) == 0) std::swap(sum.multipliers[0], sum.multipliers[1]);
  sum.multipliers[2] = {value(), -static_cast<int32_t>(Pick(prng, 15, 22))};
  for (int32_t& zero_point : sum.zero_points) {
    zero_point = static_cast<int32_t>(prng.NextBelow(256)) - 128;
  }
  sum.lowest = prng.NextBelow(2) == 0 ? -128 : sum.zero_points[2];
  sum.highest = 127;
  sum.is_difference = prng.NextBelow(2) == 0;
  sum.rounding = prng.NextBelow(4) == 0 ? RoundingMode::kSingle : RoundingMode::kDouble;
  return sum;
}

/// Rows of so many elements.
inline void ExpectSumsEqualTheReference(uint32_t count) {
  Prng prng(11);
  for (int round = 0; round < kKernelRounds; ++round) {
    const SumS8 sum = RandomSum(prng);
    std::vector<int8_t> first(count), second(count), output(count + 1, kGuard), expected = output;
    for (int8_t& value : first) value = static_cast<int8_t>(prng.Next());
    for (int8_t& value : second) value = static_cast<int8_t>(prng.Next());
    SumRowS8 row = {first.data(),      second.data(),     output.data(),
                    prng.NextBelow(2), prng.NextBelow(2), count};
    ComputeSumRowS8(sum, row);
    row.output = expected.data();
    ReferenceSumRowS8(sum, row);
    ASSERT_EQ(output, expected) << "round " << round;
  }
}

}  // namespace ota::engine
