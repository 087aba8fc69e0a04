// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/resize.h"

namespace ota::engine {

using formats::TensorInfo;

namespace {

constexpr int32_t kSizeMax = 0xFFFF;

Status FillAxis(int32_t input_size, int32_t output_size, int32_t wanted, ResizeAxis& axis) {
  const bool are_sizes =
      input_size >= 1 && input_size <= kSizeMax && output_size >= 1 && output_size <= kSizeMax;
  if (!are_sizes || output_size != wanted) return Status::kUnsupportedShape;
  axis = {static_cast<uint16_t>(input_size), static_cast<uint16_t>(output_size)};
  return Status::kOk;
}

}  // namespace

Status PrepareResize(PrepareContext& context, uint32_t align_slot, ResizeParams& params) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& size, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (!size.is_constant) return Status::kNotConstant;
  if (input.type != output.type) return Status::kUnsupportedType;
  const bool are_ranks = input.rank == 4 && output.rank == 4 && size.element_count == 2;
  if (!are_ranks || output.element_count == 0 || input.dimension(0) != output.dimension(0) ||
      input.dimension(3) != output.dimension(3)) {
    return Status::kUnsupportedShape;
  }
  OTA_TRY(const int32_t height, context.ReadConstantI32(size, 0));
  OTA_TRY(const int32_t width, context.ReadConstantI32(size, 1));
  OTA_TRY(FillAxis(input.dimension(1), output.dimension(1), height, params.rows));
  OTA_TRY(FillAxis(input.dimension(2), output.dimension(2), width, params.columns));
  params.is_aligned = context.OptionBool(align_slot);
  params.is_half_pixel = context.OptionBool(align_slot + 1);
  params.batch_count = static_cast<uint32_t>(input.dimension(0));
  params.channels = static_cast<uint32_t>(input.dimension(3));
  params.type = input.type;
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  return context.Commit(params, 2);
}

}  // namespace ota::engine
