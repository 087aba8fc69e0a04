// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/quad_terms.h"

#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine::dsp {
namespace {

int32_t Finish(const ConvRows<ConvS8>& job, const Multiplier& multiplier, int32_t sum) {
  return ReferenceFinish<ConvS8>(sum, {0, multiplier}, job.range, job.rounding);
}

/// Whether a channel has the same result for all sums up to `reach` from its bias, as one has whose
/// scale is tiny, or whose bias lies far beyond its limits; then its weights do not matter.
bool IsConstant(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int64_t reach) {
  const int64_t lowest = term.bias - reach, highest = term.bias + reach;
  if (lowest < INT32_MIN || highest > INT32_MAX || term.multiplier.shift > 0) return false;
  return Finish(job, term.multiplier, static_cast<int32_t>(lowest)) ==
         Finish(job, term.multiplier, static_cast<int32_t>(highest));
}

ChannelTermS8 BeginTerm(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int64_t reach,
                        QuadChoice choice) {
  const int64_t bias = term.bias;
  const bool is_fast =
      HasFastForm(term.multiplier, (bias < 0 ? -bias : bias) + reach, job.rounding);
  if ((choice == QuadChoice::kConstant || !is_fast) && IsConstant(job, term, reach)) {
    return {Finish(job, term.multiplier, term.bias), {0, kConstantShift}};
  }
  if (is_fast) {
    const FastTerm fast = MakeFastTerm(term.multiplier, job.range.output_zero_point);
    return {term.bias, {fast.multiplier, fast.shift}};
  }
  return {term.bias, {term.multiplier.value, term.multiplier.shift + kGeneralShift}};
}

}  // namespace

void BeginQuadTerms(const ConvRows<ConvS8>& job, uint32_t taps, QuadChoice choice, uint32_t count,
                    ChannelTermS8* terms) {
  const int64_t reach = int64_t{taps} * 255 * 128;
  for (uint32_t i = 0; i < count; ++i) terms[i] = BeginTerm(job, terms[i], reach, choice);
}

int8_t FinishQuadSum(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int32_t sum) {
  if (FormOf(term) == QuadForm::kFast) {
    const int32_t rounding_unit = 2 * job.range.output_zero_point + 1;
    return static_cast<int8_t>(RequantizeFast(sum, FastTermOf(term, rounding_unit)));
  }
  if (FormOf(term) == QuadForm::kConstant) return static_cast<int8_t>(term.bias);
  const Multiplier multiplier = {term.multiplier.value, term.multiplier.shift - kGeneralShift};
  return static_cast<int8_t>(Finish(job, multiplier, sum));
}

}  // namespace ota::engine::dsp
