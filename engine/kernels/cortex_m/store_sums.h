// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/cortex_m/quad_terms.h"

namespace ota::engine::dsp {

/// Sums to which the biases were added, and where their results go.
struct SumsToStore {
  const int32_t* sums;
  uint32_t count;
  const ChannelTermS8* terms;  ///< that were begun (quad_terms.h)
  uint32_t term_step;          ///< 0: one for all; else 1
  int8_t* output;
  uint32_t output_step;
};
void StoreSums(const ConvRows<ConvS8>& job, const SumsToStore& store);

}  // namespace ota::engine::dsp
