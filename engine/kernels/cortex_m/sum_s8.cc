// SPDX-License-Identifier: Apache-2.0
// ADD and SUB in int8 for Cortex-M, in the cheap form of requantization. Terms are below 2^28 and
// halved at least, so no sum reaches its limit.
#include "engine/kernels/sum.h"

#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine {
namespace {

constexpr uint32_t kTermLimit = 256u << kSumShiftS8;

/// How one input becomes a term. The larger scale is halved, which needs no multiplication.
struct Term {
  bool is_halved;
  int32_t zero_point;
  dsp::FastTerm fast;
};

bool MakeTerm(const SumS8& sum, uint32_t input, Term& term) {
  const Multiplier& multiplier = sum.multipliers[input];
  term.is_halved = multiplier.value == 1 << 30 && multiplier.shift == 0;
  term.zero_point = sum.zero_points[input];
  if (term.is_halved) return sum.rounding == RoundingMode::kDouble;
  if (!dsp::HasFastForm(multiplier, kTermLimit, sum.rounding)) return false;
  term.fast = dsp::MakeFastTerm(multiplier, 0);
  return true;
}

int32_t Scale(int32_t value, const Term& term) {
  const int32_t wide = (value - term.zero_point) * (1 << kSumShiftS8);
  if (term.is_halved) return wide / 2;
  const int32_t high = dsp::MultiplyHigh(wide, term.fast.multiplier);
  return (high + (high >> 31) + term.fast.rounding) >> term.fast.shift;
}

}  // namespace

void ComputeSumRowS8(const SumS8& sum, const SumRowS8& row) {
  Term first, second;
  if (!MakeTerm(sum, 0, first) || !MakeTerm(sum, 1, second) ||
      !dsp::HasFastForm(sum.multipliers[2], kTermLimit, sum.rounding)) {
    return ReferenceSumRowS8(sum, row);
  }
  const dsp::FastTerm result = dsp::MakeFastTerm(sum.multipliers[2], sum.zero_points[2]);
  const int8_t *a = row.first, *b = row.second;
  for (uint32_t i = 0; i < row.count; ++i, a += row.first_step, b += row.second_step) {
    const int32_t term = Scale(*b, second);
    const int32_t both = Scale(*a, first) + (sum.is_difference ? -term : term);
    row.output[i] =
        static_cast<int8_t>(std::clamp(dsp::RequantizeFast(both, result), sum.lowest, sum.highest));
  }
}

}  // namespace ota::engine
