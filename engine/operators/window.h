// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/chain_builder.h"
#include "engine/kernels/shape.h"
#include "engine/prepare_context.h"

namespace ota::engine {

/// Options of a window operator as the model gives them.
struct WindowOptions {
  uint32_t padding;  ///< 0: SAME, 1: VALID
  int32_t stride_width;
  int32_t stride_height;
  uint32_t activation;
  int32_t dilation_width;
  int32_t dilation_height;
  int32_t window_width;
  int32_t window_height;
};

/// Reads options by a list of fields, which has the options in their order here.
void ReadWindowOptions(PrepareContext& context, const formats::FlatField* fields,
                       WindowOptions& options);

/// Fills `shape` (window_channels apart) from two tensors of rank 4 and the options.
/// kUnsupportedShape: a rank or size that does not fit, or an output of other size than the options
/// yield.
Status ComputeWindowShape(const formats::TensorInfo& input, const formats::TensorInfo& output,
                          const WindowOptions& options, WindowShape& shape);

/// Bytes by which an output that is made row by row must begin before its input, so that no row is
/// overwritten that is still to be read; see PrepareContext::AllowOverlap.
uint32_t ComputeRowOverlap(const WindowShape& shape, uint32_t element_bytes);

/// For patch_rules.h: says AllowRows of a window operator of one batch, input and output 0. Rows
/// are those of the image, or its columns if it is one row high.
void AllowWindowRows(ChainBuilder& chains, PrepareContext& context, const WindowShape& shape);

/// Makes `shape` that of the rows alone, also if each row has become some pixels of one long one.
void SelectWindowRows(WindowShape& shape, const PatchRows& rows);

}  // namespace ota::engine
