// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/cortex_m/store_sums.h"

#include <algorithm>

namespace ota::engine::dsp {

void StoreSums(const ConvRows<ConvS8>& job, const SumsToStore& store) {
  const int32_t rounding_unit = 2 * job.range.output_zero_point + 1;
  const ChannelTermS8* term = store.terms;
  int8_t* output = store.output;
  const int32_t* const end = store.sums + store.count;
  for (const int32_t* sum = store.sums; sum != end; ++sum) {
    const int32_t result = FormOf(*term) == QuadForm::kFast
                               ? RequantizeFast(*sum, FastTermOf(*term, rounding_unit))
                               : FinishQuadSum(job, *term, *sum);
    *output = static_cast<int8_t>(std::clamp(result, job.range.lowest, job.range.highest));
    output += store.output_step;
    term += store.term_step;
  }
}

}  // namespace ota::engine::dsp
