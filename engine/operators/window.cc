// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/window.h"

#include <algorithm>

namespace ota::engine {

using formats::TensorInfo;

namespace {

constexpr int32_t kSizeMax = 0xFFFF;

bool IsSize(int32_t value) { return value >= 1 && value <= kSizeMax; }

// One dimension: padding in front, of what is as large as the model says. None of the sums
// reaches 2^32.
Status ComputeAxis(int32_t input, int32_t output, int32_t window, int32_t stride, int32_t dilation,
                   uint32_t padding, uint16_t& before) {
  const bool are_sizes =
      IsSize(input) && IsSize(output) && IsSize(window) && IsSize(stride) && IsSize(dilation);
  if (!are_sizes) return Status::kUnsupportedShape;
  const auto size = static_cast<uint32_t>(input), step = static_cast<uint32_t>(stride);
  const uint32_t reach = static_cast<uint32_t>(window - 1) * static_cast<uint32_t>(dilation) + 1;
  const uint32_t taken = padding == 0 ? 1 : reach;
  const uint32_t count = size + step < taken ? 0 : (size + step - taken) / step;
  if (count != static_cast<uint32_t>(output)) return Status::kUnsupportedShape;
  const uint32_t covered = (count - 1) * step + reach;
  const uint32_t missing = (covered - std::min(size, covered)) / 2;
  if (missing > static_cast<uint32_t>(kSizeMax)) return Status::kUnsupportedShape;
  before = static_cast<uint16_t>(missing);
  return Status::kOk;
}

}  // namespace

void ReadWindowOptions(PrepareContext& context, const formats::FlatField* fields,
                       WindowOptions& options) {
  context.reader().ReadFieldList(context.options(), fields, reinterpret_cast<uint32_t*>(&options));
}

Status ComputeWindowShape(const TensorInfo& input, const TensorInfo& output,
                          const WindowOptions& options, WindowShape& shape) {
  if (input.rank != 4 || output.rank != 4 || options.padding > 1) return Status::kUnsupportedShape;
  const bool are_sizes =
      IsSize(input.dimension(0)) && IsSize(input.dimension(3)) && IsSize(output.dimension(3));
  if (!are_sizes || input.dimension(0) != output.dimension(0)) return Status::kUnsupportedShape;
  OTA_TRY(ComputeAxis(input.dimension(1), output.dimension(1), options.window_height,
                      options.stride_height, options.dilation_height, options.padding,
                      shape.padding_top));
  OTA_TRY(ComputeAxis(input.dimension(2), output.dimension(2), options.window_width,
                      options.stride_width, options.dilation_width, options.padding,
                      shape.padding_left));
  const auto narrow = [](int32_t value) { return static_cast<uint16_t>(value); };
  shape.batch_count = narrow(input.dimension(0));
  shape.input_height = narrow(input.dimension(1));
  shape.input_width = narrow(input.dimension(2));
  shape.input_channels = narrow(input.dimension(3));
  shape.output_height = narrow(output.dimension(1));
  shape.output_width = narrow(output.dimension(2));
  shape.output_channels = narrow(output.dimension(3));
  shape.window_height = narrow(options.window_height);
  shape.window_width = narrow(options.window_width);
  shape.stride_height = narrow(options.stride_height);
  shape.stride_width = narrow(options.stride_width);
  shape.dilation_height = narrow(options.dilation_height);
  shape.dilation_width = narrow(options.dilation_width);
  return Status::kOk;
}

// Tensors have less than 2^31 bytes, and so the difference of two offsets in them.
uint32_t ComputeRowOverlap(const WindowShape& shape, uint32_t element_bytes) {
  const uint32_t input_row = uint32_t{shape.input_width} * shape.input_channels * element_bytes;
  const uint32_t output_row = uint32_t{shape.output_width} * shape.output_channels * element_bytes;
  int32_t distance = 0;
  for (uint32_t row = 0; row < shape.output_height; ++row) {
    const auto first_needed = static_cast<uint32_t>(std::max<int32_t>(shape.InputRow(row), 0));
    const uint32_t apart = (row + 1) * output_row - first_needed * input_row;
    distance = std::max(distance, static_cast<int32_t>(apart));
  }
  return static_cast<uint32_t>(distance);
}

void AllowWindowRows(ChainBuilder& chains, PrepareContext& context, const WindowShape& shape) {
  if (shape.batch_count != 1) return;
  const bool has_rows = shape.input_height > 1 && shape.output_height > 1;
  const bool has_columns = shape.input_height == 1 && shape.output_height == 1 &&
                           shape.window_height == 1 && shape.padding_top == 0 &&
                           shape.input_width > 1 && shape.output_width > 1;
  if (!has_rows && !has_columns) return;
  const uint32_t window = has_rows ? shape.window_height : shape.window_width;
  const uint32_t dilation = has_rows ? shape.dilation_height : shape.dilation_width;
  const uint32_t reach = (window - 1) * dilation + 1;
  const int32_t last_row = has_rows ? shape.InputRow(shape.output_height - 1u)
                                    : shape.InputColumn(shape.output_width - 1u);
  RowMap map;
  map.stride = has_rows ? shape.stride_height : shape.stride_width;
  map.padding = has_rows ? shape.padding_top : shape.padding_left;
  map.reach = static_cast<uint16_t>(reach);
  const uint32_t size = has_rows ? shape.input_height : shape.input_width;
  const bool is_inside = map.padding < reach && last_row < static_cast<int32_t>(size);
  if (is_inside && reach <= static_cast<uint32_t>(kSizeMax)) chains.AllowRows(context, 0, 0, map);
}

void SelectWindowRows(WindowShape& shape, const PatchRows& rows) {
  if (shape.output_height == rows.output.count) {
    const int32_t first = shape.InputRow(rows.output.begin);
    shape.padding_top = static_cast<uint16_t>(std::max<int32_t>(-first, 0));
    shape.input_height = static_cast<uint16_t>(rows.input.size());
    shape.output_height = static_cast<uint16_t>(rows.output.size());
    return;
  }
  const int32_t first = shape.InputColumn(rows.output.begin);
  shape.padding_left = static_cast<uint16_t>(std::max<int32_t>(-first, 0));
  shape.input_width =
      static_cast<uint16_t>(shape.input_width / rows.input.count * rows.input.size());
  shape.output_width =
      static_cast<uint16_t>(shape.output_width / rows.output.count * rows.output.size());
}

}  // namespace ota::engine
