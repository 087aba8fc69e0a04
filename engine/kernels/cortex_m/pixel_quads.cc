// SPDX-License-Identifier: Apache-2.0
// Pixel quads in C++, as cores with the DSP extension have them: tests on a host.
#include "engine/kernels/cortex_m/pixel_quads.h"

#include "engine/kernels/cortex_m/channel_quads.h"

#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine::dsp {

const uint32_t kQuadTapBytes = 2;

void SumPixelQuad(const uint32_t* values, const uint8_t* weights, uint32_t tap_count,
                  int32_t* sums) {
  for (uint32_t tap = 0; tap < tap_count; tap += 4, values += 8) {
    uint8_t bytes[4] = {};
    std::copy_n(weights + tap, std::min<uint32_t>(4, tap_count - tap), bytes);
    const uint32_t word = LoadWord(bytes);
    for (uint32_t pixel = 0; pixel < 4; ++pixel) {
      sums[pixel] = MultiplyPairs(WidenEven(word), values[pixel], sums[pixel]);
      sums[pixel] = MultiplyPairs(WidenOdd(word), values[4 + pixel], sums[pixel]);
    }
  }
}

void ComputePixelQuads(PixelQuads& run) {
  const uint32_t tap_count = 4 * run.group_count + run.rest;
  for (; run.output != run.output_end; ++run.output, ++run.terms, run.weights += tap_count) {
    const int32_t bias = run.terms->bias;
    int32_t sums[4] = {bias, bias, bias, bias};
    SumPixelQuad(run.values, run.weights, tap_count, sums);
    const FastTerm term = FastTermOf(*run.terms, run.rounding_unit);
    for (uint32_t pixel = 0; pixel < 4; ++pixel) {
      run.output[pixel * run.output_step] = static_cast<int8_t>(RequantizeFast(sums[pixel], term));
    }
  }
}

int32_t WidenChannel(const uint8_t* weights, uint32_t tap_count, uint32_t* values) {
  int32_t sum = 0;
  for (uint32_t tap = 0; tap < tap_count; tap += 4, values += 8) {
    const uint32_t word = LoadWord(weights + tap);
    values[0] = WidenEven(word);
    values[4] = WidenOdd(word);
    for (uint32_t i = 0; i < 4; ++i) sum += static_cast<int8_t>(weights[tap + i]);
  }
  return sum;
}

uint32_t* WidenPixelQuad(const QuadSources& sources, int32_t zero_point, uint32_t* target) {
  const uint32_t zero_points = PackHalves(-zero_point, -zero_point);
  const auto row_taps = static_cast<int32_t>(4 * sources.group_count);
  for (int32_t row = 0; row < static_cast<int32_t>(sources.row_count); ++row) {
    for (int32_t at = 0; at < row_taps; at += 4, target += 8) {
      for (uint32_t pixel = 0; pixel < 4; ++pixel) {
        const int32_t pitch = row_taps + sources.row_steps[pixel];
        const uint32_t word = LoadWord(sources.pixels[pixel] + row * pitch + at);
        target[pixel] = AddEven(zero_points, word);
        target[4 + pixel] = AddOdd(zero_points, word);
      }
    }
  }
  return target;
}

}  // namespace ota::engine::dsp
