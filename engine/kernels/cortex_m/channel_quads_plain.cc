// SPDX-License-Identifier: Apache-2.0
// Channel quads for cores without the DSP extension, and for tests on a host.
#include <span>

#include "engine/kernels/cortex_m/channel_quads.h"
#include "engine/kernels/cortex_m/fast_term.h"

namespace ota::engine::dsp {

void ComputeChannelQuads(ChannelQuads& run) {
  for (; run.output != run.output_end; run.output += run.output_step) {
    int32_t sums[4] = {run.biases[0], run.biases[1], run.biases[2], run.biases[3]};
    SumChannelQuad(run, sums);
    for (uint32_t i = 0; i < 4; ++i) {
      const ChannelQuadTerm& term = run.terms[i];
      const FastTerm fast = {term.multiplier, term.rounding, term.shift};
      run.output[run.offsets[i]] = static_cast<int8_t>(RequantizeFast(sums[i], fast));
    }
  }
}

}  // namespace ota::engine::dsp
