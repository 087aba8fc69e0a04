// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/operators/operators.h"
#include "engine/operators/resize.h"

namespace ota::engine {

namespace {

constexpr uint32_t kAlignOption = 0;

Status PrepareResizeNearestNeighbor(PrepareContext& context) {
  ResizeParams params{};
  OTA_TRY(PrepareResize(context, kAlignOption, params));
  return formats::ElementBytes(params.type) != 0 ? Status::kOk : Status::kUnsupportedType;
}

// In single precision, as the reference does: its rounding decides between neighbours.
uint32_t FindNearest(const ResizeParams& params, const ResizeAxis& axis, uint32_t position) {
  const bool is_aligned = params.is_aligned && axis.output_size > 1;
  const float scale =
      is_aligned
          ? static_cast<float>(axis.input_size - 1) / static_cast<float>(axis.output_size - 1)
          : static_cast<float>(axis.input_size) / static_cast<float>(axis.output_size);
  const float offset = params.is_half_pixel ? 0.5f : 0.0f;
  const float exact = (static_cast<float>(position) + offset) * scale;
  const float nearest = params.is_aligned ? std::round(exact) : std::floor(exact);
  return std::min(static_cast<uint32_t>(nearest), axis.input_size - 1u);
}

Status RunResizeNearestNeighbor(RunContext& context) {
  const auto& params = context.params<ResizeParams>();
  const uint32_t pixel_bytes = params.channels * formats::ElementBytes(params.type);
  const uint32_t row_bytes = params.columns.input_size * pixel_bytes;
  return RunResizedRows(context, params, [&](uint32_t batch, uint32_t row, uint8_t* output) {
    const uint32_t line = batch * params.rows.input_size + FindNearest(params, params.rows, row);
    const uint8_t* const input = context.Data(params.input) + line * row_bytes;
    for (uint32_t column = 0; column < params.columns.output_size; ++column) {
      const uint32_t nearest = FindNearest(params, params.columns, column);
      std::memcpy(output + column * pixel_bytes, input + nearest * pixel_bytes, pixel_bytes);
    }
  });
}

}  // namespace

const Operator kResizeNearestNeighbor = {
    static_cast<int32_t>(formats::OperatorCode::kResizeNearestNeighbor), nullptr,
    PrepareResizeNearestNeighbor, RunResizeNearestNeighbor};

}  // namespace ota::engine
