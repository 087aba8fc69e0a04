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
bool IsConstant(const ConvRows<ConvS8>& job, const ChannelTermS8& term, int32_t reach) {
  const bool wraps = term.bias < INT32_MIN + reach || term.bias > INT32_MAX - reach;
  if (wraps || term.multiplier.shift > 0) return false;
  return Finish(job, term.multiplier, term.bias - reach) ==
         Finish(job, term.multiplier, term.bias + reach);
}

void BeginTerm(const ConvRows<ConvS8>& job, int32_t reach, QuadChoice choice, ChannelTermS8& term) {
  Multiplier& multiplier = term.multiplier;
  const auto bias = static_cast<uint32_t>(term.bias);
  const uint32_t limit = (term.bias < 0 ? -bias : bias) + static_cast<uint32_t>(reach);
  const bool is_fast = HasFastForm(multiplier, limit, job.rounding);
  if ((choice == QuadChoice::kConstant || !is_fast) && IsConstant(job, term, reach)) {
    term = {Finish(job, multiplier, term.bias), {0, kConstantShift}};
  } else if (is_fast) {
    const FastTerm fast = MakeFastTerm(multiplier, 0);
    multiplier = {fast.multiplier, fast.shift};
  } else {
    multiplier.shift += kGeneralShift;
  }
}

}  // namespace

void BeginQuadTerms(const ConvRows<ConvS8>& job, uint32_t taps, QuadChoice choice, uint32_t count,
                    ChannelTermS8* terms) {
  const auto reach = static_cast<int32_t>(taps * 255 * 128);
  for (; count != 0; --count) BeginTerm(job, reach, choice, *terms++);
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
