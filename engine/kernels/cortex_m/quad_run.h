// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv.h"

// The one loop that convolutions are made of: taps are widened for four at a time and kept while
// others pass where they lie. Either the weights of four channels are kept, and pixels pass, or the
// windows of four pixels are, and the weights of channel after channel pass. Widened taps have
// kQuadTapBytes (dsp.h). How those of a quad lie is the implementation's.

namespace ota::engine::dsp {

/// Channels or pixels that are kept together.
constexpr uint32_t kQuad = 4;

/// Where a channel or pixel goes among all four: the first one has the last place, so that what
/// places without one store is overwritten.
constexpr uint32_t PlaceOf(uint32_t index) { return kQuad - 1 - index; }

/// What turns a sum into a result (fast_term.h). Field order is known to the assembly.
struct QuadTerm {
  int32_t multiplier;
  int32_t shift;
  int32_t rounding;
};

/// Pixels, or channels, that pass. The taps that they have are the same. Field offsets are known to
/// the assembly.
struct QuadRun {
  int32_t row_step;          ///< of `at`, from the end of a row of the window to the next
  uint32_t entry;            ///< into the code; not the caller's
  int32_t column_step;       ///< of `at`, between taps that lie side by side
  int32_t value_row_step;    ///< of `values`, in bytes, from the end of a row to the next
  uint32_t rounds;           ///< not the caller's
  uint32_t zero_points;      ///< of what passes: negative, as halves
  uint32_t row_count;        ///< of the windows, at least one
  int32_t* sums;             ///< what the sums begin as
  const uint32_t* values;    ///< what is kept, of the first tap
  const int8_t* at;          ///< first tap of the first that passes
  uint32_t step;             ///< of `at`, to the next one
  int8_t* output;            ///< of the first one
  uint32_t output_step;      ///< to the next one
  const int8_t* output_end;  ///< where `output` is behind the last one; at least one comes
  uint32_t offsets[kQuad];   ///< of those that are kept, from `output`; stored to in this order
  const QuadTerm* terms;     ///< of the channels that are kept
  int32_t rounding_unit;     ///< 2 * output zero point + 1, for ComputePixelQuads
  uint32_t lines;            ///< of pixels that pass, at least one; with terms
  int32_t line_step;         ///< of `at`, from the end of a line to the next
  int32_t output_line_step;  ///< of `output`, the same
  uint32_t output_pitch;     ///< from line to line
};
static_assert(sizeof(void*) != 4 || offsetof(QuadRun, output_pitch) == 92);

/// A row of the window has so many taps that lie together, byte after byte, each for all four that
/// are kept; a multiple of four, 0 if the window is a single row without any.
void SelectTogether(QuadRun& run, uint32_t tap_count);

/// Rows and columns that a window of taps side by side may have.
constexpr uint32_t kSideBySideMax = 3;

/// The window has so many rows, `pitch` bytes apart, and columns, of which the weights lie from the
/// last one to the first. Each tap has an input of its own for every channel. The run's rows and
/// row steps are no longer the caller's.
void SelectSideBySide(QuadRun& run, uint32_t rows, uint32_t columns, int32_t pitch);

/// Four channels are kept. Computes all pixels that pass, results saturated to int8. Without terms
/// the sums are stored back, of each that passes four of its own. Changes what is passed and
/// `sums`.
void ComputeQuads(QuadRun& run);

/// Four pixels are kept. `terms`, of the channels that pass, are in the cheap form (quad_terms.h).
/// Changes `at`, `output` and `sums`.
void ComputePixelQuads(QuadRun& run, const ChannelTermS8* terms);

/// Widens taps that lie together, a multiple of four and not 0, from a place on in the first group,
/// `zero_points` (QuadRun) added; returns the same place in the next group.
uint32_t* WidenTogether(const int8_t* taps, uint32_t count, uint32_t zero_points, uint32_t* values);

/// Rows of the windows of four pixels. Field offsets are known to the assembly.
struct QuadSources {
  const int8_t* at[kQuad];   ///< in the order of their places
  int32_t row_steps[kQuad];  ///< from the end of a row to the next
  uint32_t group_count;      ///< groups of four taps in a row, at least one
  uint32_t row_count;
  uint32_t zero_points;
};
static_assert(sizeof(void*) != 4 || offsetof(QuadSources, zero_points) == 40);

/// The same as WidenTogether, of all four at once.
void WidenQuad(const QuadSources& sources, uint32_t* values);

/// Widens weights of four channels that lie side by side, `step` bytes from tap to tap; returns
/// where the next ones belong.
uint32_t* WidenSideBySide(const uint8_t* weights, uint32_t tap_count, int32_t step,
                          uint32_t* values);

}  // namespace ota::engine::dsp
