// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/conv.h"
#include "engine/kernels/cortex_m/dsp.h"

// Rows of four channels of a convolution, whose weights are kept while pixels pass (quad_run.h).
// Windows are read where they lie; taps that lie out of the image are left out. Terms were begun
// (quad_terms.h).

namespace ota::engine::dsp {

/// Of a CONV_2D of a shape with IsForChannelQuads; the scratch has the widened weights.
void ComputeChannelQuad(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad);

/// Of a tile of four channels of a DEPTHWISE_CONV_2D, each with an input channel of its own.
void ComputeSideBySide(const ConvRows<ConvS8>& job);

inline uint32_t* ScratchOf(const ConvRows<ConvS8>& job) {
  return reinterpret_cast<uint32_t*>(job.scratch);
}

/// As QuadRun and FastTermOf want them.
inline uint32_t ZeroPointsOf(const ConvRows<ConvS8>& job) {
  return PackHalves(-job.range.input_zero_point, -job.range.input_zero_point);
}
inline int32_t RoundingUnitOf(const ConvRows<ConvS8>& job) {
  return 2 * job.range.output_zero_point + 1;
}

}  // namespace ota::engine::dsp
