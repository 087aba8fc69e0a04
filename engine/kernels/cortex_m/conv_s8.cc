// SPDX-License-Identifier: Apache-2.0
// CONV_2D in int8 for Cortex-M: four pixels at a time (pixel_quads.h), or, if weights are streamed,
// four channels (quad_rows.h).
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_layout.h"
#include "engine/kernels/cortex_m/pixel_quads.h"
#include "engine/kernels/cortex_m/quad_rows.h"
#include "engine/kernels/cortex_m/quad_run.h"
#include "engine/kernels/cortex_m/quad_terms.h"

namespace ota::engine {
namespace {

/// Widened taps that the scratch of a tile has room for, at most (conv_layout.h).
constexpr uint32_t kRoomTaps = 2048 / dsp::kQuadTapBytes;

void BeginTerms(const ConvRows<ConvS8>& job, uint32_t count, ChannelTermS8* terms) {
  const WindowShape& shape = *job.shape;
  const uint32_t taps = uint32_t{shape.window_height} * shape.window_width * shape.window_channels;
  dsp::BeginQuadTerms(job, taps, dsp::QuadChoice::kConstant, count, terms);
}

}  // namespace

void BeginConvTileS8(const ConvRows<ConvS8>& job, ChannelTermS8* terms) {
  if (ChooseConvWay(*job.shape) == ConvWay::kReference) return;
  BeginTerms(job, job.channel_count, terms);
}

void ConvRowsS8(const ConvRows<ConvS8>& job) {
  if (ChooseConvWay(*job.shape) == ConvWay::kReference) return ReferenceConvRows<ConvS8>(job);
  dsp::ComputePixels(job, job.weights, dsp::ScratchOf(job), kRoomTaps);
}

bool BeginQuadTermS8(const ConvRows<ConvS8>& job, ChannelTermS8& term) {
  BeginTerms(job, 1, &term);
  return dsp::FormOf(term) != dsp::QuadForm::kConstant;
}

void FillQuadS8(const ConvRows<ConvS8>& job, ChannelQuadS8&, uint32_t index, uint32_t first,
                uint32_t count, const uint8_t* weights) {
  uint32_t* const values =
      dsp::ScratchOf(job) + first * dsp::kQuad * dsp::kQuadTapBytes / 4 + dsp::PlaceOf(index);
  dsp::WidenTogether(reinterpret_cast<const int8_t*>(weights), count, 0, values);
}

void QuadRowsS8(const ConvRows<ConvS8>& job, const ChannelQuadS8& quad) {
  dsp::ComputeChannelQuad(job, quad);
}

}  // namespace ota::engine
