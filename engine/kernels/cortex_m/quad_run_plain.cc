// SPDX-License-Identifier: Apache-2.0
// Quads of channels for cores without the DSP extension, and for tests on a host. A weight is a
// word.
#include "engine/kernels/cortex_m/fast_term.h"
#include "engine/kernels/cortex_m/quad_run.h"
#include "engine/kernels/cortex_m/quad_taps.h"

namespace ota::engine::dsp {
namespace {

[[gnu::always_inline]] inline void SumOne(const QuadRun& run, int32_t* sums) {
  if (run.entry != 0) return AddSideBySide(run, sums);
  const int32_t zero_point = LowHalf(run.zero_points);
  const int8_t* at = run.at;
  const uint32_t* values = run.values;
  const uint32_t count = run.rounds;
  for (uint32_t row = run.row_count; row != 0 && count != 0; --row) {
    AddTogether(values, at, count, sums, zero_point);
    at += static_cast<int32_t>(count) + run.row_step;
    values += kQuad * count + static_cast<uint32_t>(run.value_row_step) / 4;
  }
}

}  // namespace

void SelectTogether(QuadRun& run, uint32_t tap_count) {
  run.entry = 0;
  run.rounds = tap_count;
}

// The last column of each row comes first. Rows are in `entry`.
void SelectSideBySide(QuadRun& run, uint32_t rows, uint32_t columns, int32_t pitch) {
  const int32_t width = static_cast<int32_t>(columns) * run.column_step;
  run.entry = columns == 0 ? 0 : rows;
  run.rounds = run.entry == 0 ? 0 : columns;
  run.row_step = pitch + width;
}

void ComputeQuads(QuadRun& run) {
  for (uint32_t lines = run.lines;;) {
    for (; run.output != run.output_end; run.output += run.output_step, run.at += run.step) {
      int32_t sums[kQuad] = {run.sums[0], run.sums[1], run.sums[2], run.sums[3]};
      SumOne(run, sums);
      if (run.terms == nullptr) {
        for (const int32_t sum : sums) *run.sums++ = sum;
        continue;
      }
      const QuadTerm* term = run.terms;
      const uint32_t* offset = run.offsets;
      for (const int32_t sum : sums) {
        const FastTerm fast = {term->multiplier, term->rounding, term->shift};
        run.output[*offset++] = static_cast<int8_t>(RequantizeFast(sum, fast));
        ++term;
      }
    }
    if (--lines == 0) return;
    run.at += run.line_step;
    run.output += run.output_line_step;
    run.output_end += run.output_pitch;
  }
}

void ComputePixelQuads(QuadRun& run, const ChannelTermS8* terms) {
  for (; run.output != run.output_end; run.output += run.output_step, run.at += run.step, ++terms) {
    const int32_t bias = terms->bias;
    int32_t sums[kQuad] = {bias, bias, bias, bias};
    AddTogether(run.values, run.at, run.rounds, sums, 0);
    const FastTerm fast = FastTermOf(*terms, run.rounding_unit);
    const uint32_t* offset = run.offsets;
    for (const int32_t sum : sums) {
      run.output[*offset++] = static_cast<int8_t>(RequantizeFast(sum, fast));
    }
  }
}

uint32_t* WidenTogether(const int8_t* taps, uint32_t count, uint32_t zero_points,
                        uint32_t* values) {
  const int32_t zero_point = LowHalf(zero_points);
  for (const int8_t* const end = taps + count; taps != end; taps += 4, values += 4 * kQuad) {
    values[0] = static_cast<uint32_t>(taps[0] + zero_point);
    values[kQuad] = static_cast<uint32_t>(taps[1] + zero_point);
    values[2 * kQuad] = static_cast<uint32_t>(taps[2] + zero_point);
    values[3 * kQuad] = static_cast<uint32_t>(taps[3] + zero_point);
  }
  return values;
}

void WidenQuad(const QuadSources& sources, uint32_t* values) {
  const uint32_t row_taps = 4 * sources.group_count;
  for (uint32_t i = 0; i < kQuad; ++i) {
    const int8_t* at = sources.at[i];
    uint32_t* value = values + i;
    for (uint32_t row = sources.row_count; row != 0; --row) {
      value = WidenTogether(at, row_taps, sources.zero_points, value);
      at += static_cast<int32_t>(row_taps) + sources.row_steps[i];
    }
  }
}

uint32_t* WidenSideBySide(const uint8_t* weights, uint32_t tap_count, int32_t step,
                          uint32_t* values) {
  for (; tap_count != 0; --tap_count, weights += step) {
    for (uint32_t i = 0; i < kQuad; ++i) {
      *values++ = static_cast<uint32_t>(static_cast<int8_t>(weights[i]));
    }
  }
  return values;
}

}  // namespace ota::engine::dsp
