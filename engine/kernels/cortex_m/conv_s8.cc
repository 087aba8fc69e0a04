// SPDX-License-Identifier: Apache-2.0
// CONV_2D in int8 for Cortex-M.
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/clamp_rows.h"
#include "engine/kernels/cortex_m/quad_rows.h"

namespace ota::engine {

void BeginConvTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  if (ChooseConvWay(*job.shape) == ConvWay::kReference) return;
  dsp::BeginQuads(job, ConvQuadLayout(*job.shape), terms);
}

void ConvRowsS8(const ConvRows<ConvS8>& job) {
  if (ChooseConvWay(*job.shape) == ConvWay::kReference) return ReferenceConvRows<ConvS8>(job);
  const QuadLayout layout = ConvQuadLayout(*job.shape);
  dsp::ComputeQuadRows(job, layout, job.weights, layout.tap_count);
  dsp::ClampRows(job);
}

}  // namespace ota::engine
