// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/prepare_context.h"
#include "engine/run_context.h"

// RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: both make the output row by row.

namespace ota::engine {

struct ResizeAxis {
  uint16_t input_size;
  uint16_t output_size;
};

struct ResizeParams {
  Slot input;
  Slot output;
  ResizeAxis rows;
  ResizeAxis columns;
  uint32_t batch_count;
  uint32_t channels;
  bool is_aligned;     ///< the corners of input and output are the same points
  bool is_half_pixel;  ///< the centres of pixels lie half a pixel from their corners
  formats::TensorType type;
  uint8_t unused;
};

/// Checks operands, reads the two options from `align_slot` on, fills the parameters and commits.
/// kUnsupportedShape: a rank or size that does not fit, or an output of other size than operand 1
/// says; kNotConstant: operand 1.
Status PrepareResize(PrepareContext& context, uint32_t align_slot, ResizeParams& params);

/// Calls make_row(batch, row, output) for all rows of the output.
template <typename MakeRow>
Status RunResizedRows(RunContext& context, const ResizeParams& params, MakeRow make_row) {
  const uint32_t row_elements = params.columns.output_size * params.channels;
  const uint32_t row_bytes = row_elements * formats::ElementBytes(params.type);
  while (context.unit() < params.batch_count * params.rows.output_size) {
    const uint32_t line = context.unit();
    make_row(line / params.rows.output_size, line % params.rows.output_size,
             context.Data(params.output) + line * row_bytes);
    if (context.FinishUnit(4 * row_elements)) return Status::kBusy;
  }
  return Status::kOk;
}

}  // namespace ota::engine
