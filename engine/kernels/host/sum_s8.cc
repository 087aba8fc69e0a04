// SPDX-License-Identifier: Apache-2.0
// ADD and SUB in int8: each term is a function of one byte, so that of long rows it is looked up.
#include <algorithm>

#include "engine/kernels/host/cheap_form.h"
#include "engine/kernels/host/vectors.h"
#include "engine/kernels/sum.h"

namespace ota::engine {

namespace {

constexpr uint32_t kTableEntries = 256;
constexpr uint32_t kLongRow = 2 * kTableEntries;
constexpr uint32_t kLanes = 16;
/// Of a sum of two terms: each is below 2^28, and the multipliers of terms are at most a half.
constexpr int64_t kSumLimit = int64_t{2 * 256} << kSumShiftS8;

struct TermTable {
  int32_t terms[kTableEntries];

  TermTable(const SumS8& sum, uint32_t input) {
    for (int32_t value = INT8_MIN; value <= INT8_MAX; ++value) {
      const int32_t shifted = WrappingShiftLeft(value - sum.zero_points[input], kSumShiftS8);
      const int32_t term = Requantize(shifted, sum.multipliers[input], sum.rounding);
      const bool is_negative = input == 1 && sum.is_difference;
      terms[static_cast<uint8_t>(value)] = is_negative ? -term : term;
    }
  }
};

OTA_VECTOR_CLONES void AddTerms(const SumS8& sum, const SumRowS8& row, const TermTable& first,
                                const TermTable& second, const host::CheapForm& form) {
  for (uint32_t begin = 0; begin < row.count; begin += kLanes) {
    const uint32_t count = std::min(kLanes, row.count - begin);
    int32_t sums[kLanes] = {};
    for (uint32_t i = 0; i < count; ++i) {
      const int8_t a = row.first[(begin + i) * row.first_step];
      const int8_t b = row.second[(begin + i) * row.second_step];
      sums[i] = first.terms[static_cast<uint8_t>(a)] + second.terms[static_cast<uint8_t>(b)];
    }
    int8_t results[kLanes];
    for (uint32_t i = 0; i < kLanes; ++i) {
      const int32_t high = host::ComputeHigh(sums[i], form.multiplier);
      const int32_t value = host::FinishCheap(high, form.rounding, form.shift);
      results[i] = static_cast<int8_t>(std::clamp(value, sum.lowest, sum.highest));
    }
    std::copy_n(results, count, row.output + begin);
  }
}

bool IsHalfAtMost(const Multiplier& multiplier) {
  return multiplier.shift < 0 || (multiplier.shift == 0 && multiplier.value <= 1 << 30);
}

}  // namespace

void ComputeSumRowS8(const SumS8& sum, const SumRowS8& row) {
  const bool are_terms_small = IsHalfAtMost(sum.multipliers[0]) && IsHalfAtMost(sum.multipliers[1]);
  if (row.count < kLongRow || !are_terms_small ||
      !host::HasCheapForm(sum.multipliers[2], kSumLimit, sum.rounding)) {
    return ReferenceSumRowS8(sum, row);
  }
  const TermTable first(sum, 0);
  const TermTable second(sum, 1);
  AddTerms(sum, row, first, second, host::MakeCheapForm(sum.multipliers[2], sum.zero_points[2]));
}

}  // namespace ota::engine
