// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/cortex_m/fast_term.h"

// Terms of output channels, brought into the cheapest form of requantization that is exact for
// them.

namespace ota::engine::dsp {

enum class QuadForm : uint32_t {
  kFast,      ///< fast_term.h; its shift is from 1 on
  kConstant,  ///< the result is the bias, whatever the input
  kGeneral
};

/// Shifts of terms, once begun: from 1 to kFastShiftMax the cheap form; kConstantShift: the result
/// is the bias, whatever the input; from kGeneralShift - 31 on the general form, its shift and
/// kGeneralShift.
constexpr int32_t kConstantShift = 64;
constexpr int32_t kGeneralShift = 128;

constexpr QuadForm FormOf(const ChannelTermS8& begun_term) {
  if (begun_term.multiplier.shift <= kFastShiftMax) return QuadForm::kFast;
  return begun_term.multiplier.shift == kConstantShift ? QuadForm::kConstant : QuadForm::kGeneral;
}

/// What a term becomes that both would do for.
enum class QuadChoice : uint32_t { kConstant, kFast };

/// Brings `count` terms of windows of `taps` into such forms.
void BeginQuadTerms(const ConvRows<ConvS8>& job, uint32_t taps, QuadChoice choice, uint32_t count,
                    ChannelTermS8* terms);

/// Result of a sum, bias included, of a term that was begun.
int8_t FinishQuadSum(const ConvRows<ConvS8>& job, const ChannelTermS8& begun_term, int32_t sum);

}  // namespace ota::engine::dsp
