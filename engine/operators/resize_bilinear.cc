// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/operators/operators.h"
#include "engine/operators/resize.h"
#include "engine/plan.h"

namespace ota::engine {

using formats::TensorType;

namespace {

constexpr uint32_t kAlignOption = 2;
constexpr int32_t kOne = 1 << 10;  ///< of a weight of int8

/// Two neighbours on one axis, and what each of them weighs.
template <typename Weight>
struct Blend {
  uint32_t first;
  uint32_t second;
  Weight first_weight;
  Weight second_weight;
};

Blend<int32_t> BlendAt(const ResizeParams& params, const ResizeAxis& axis, uint32_t position,
                       int32_t) {
  const bool is_aligned = params.is_aligned && axis.output_size > 1;
  const int32_t inputs = is_aligned ? axis.input_size - 1 : axis.input_size;
  const int32_t outputs = is_aligned ? axis.output_size - 1 : axis.output_size;
  const int32_t scale = (kOne * inputs + outputs / 2) / outputs;
  int32_t at = static_cast<int32_t>(position) * scale;
  if (params.is_half_pixel) at += scale / 2 - kOne / 2;
  const int32_t last = axis.input_size - 1;
  const int32_t first = std::clamp(at / kOne, 0, last);
  const int32_t second = std::min((at + kOne - 1) / kOne, last);
  const int32_t part = at - kOne * first;
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(second), kOne - part, part};
}

Blend<float> BlendAt(const ResizeParams& params, const ResizeAxis& axis, uint32_t position, float) {
  const bool is_aligned = params.is_aligned && axis.output_size > 1;
  const int32_t inputs = is_aligned ? axis.input_size - 1 : axis.input_size;
  const int32_t outputs = is_aligned ? axis.output_size - 1 : axis.output_size;
  const float scale = static_cast<float>(inputs) / static_cast<float>(outputs);
  const auto whole = static_cast<float>(position);
  const float at = params.is_half_pixel ? (whole + 0.5f) * scale - 0.5f : whole * scale;
  const int32_t last = axis.input_size - 1;
  const int32_t first = std::clamp(static_cast<int32_t>(std::floor(at)), 0, last);
  const int32_t second = std::min(static_cast<int32_t>(std::ceil(at)), last);
  const float part = at - static_cast<float>(first);
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(second), 1.0f - part, part};
}

float Round(float sum, RoundingMode) { return sum; }

// Half away from zero, or up.
int8_t Round(int64_t sum, RoundingMode rounding) {
  constexpr int64_t kHalf = 1 << 19;
  if (rounding == RoundingMode::kSingle) return static_cast<int8_t>((sum + kHalf) >> 20);
  return static_cast<int8_t>((sum + (sum > 0 ? kHalf : -kHalf)) / (1 << 20));
}

template <typename Value, typename Weight, typename Sum>
Status RunAs(RunContext& context) {
  const auto& params = context.params<ResizeParams>();
  const uint32_t channels = params.channels;
  const uint32_t row_elements = params.columns.input_size * channels;
  return RunResizedRows(context, params, [&](uint32_t batch, uint32_t row, uint8_t* bytes) {
    const Blend<Weight> y = BlendAt(params, params.rows, row, Weight{});
    const Value* const image =
        context.DataAs<Value>(params.input) + batch * params.rows.input_size * row_elements;
    const Value* const above = image + y.first * row_elements;
    const Value* const below = image + y.second * row_elements;
    auto* output = reinterpret_cast<Value*>(bytes);
    for (uint32_t column = 0; column < params.columns.output_size; ++column) {
      const Blend<Weight> x = BlendAt(params, params.columns, column, Weight{});
      for (uint32_t i = 0; i < channels; ++i) {
        const uint32_t left = x.first * channels + i;
        const uint32_t right = x.second * channels + i;
        const Sum sum = Sum{above[left]} * y.first_weight * x.first_weight +
                        Sum{below[left]} * y.second_weight * x.first_weight +
                        Sum{above[right]} * y.first_weight * x.second_weight +
                        Sum{below[right]} * y.second_weight * x.second_weight;
        *output++ = Round(sum, context.rounding());
      }
    }
  });
}

Status PrepareResizeBilinear(PrepareContext& context) {
  ResizeParams params{};
  OTA_TRY(PrepareResize(context, kAlignOption, params));
  if (params.is_aligned && params.is_half_pixel) return Status::kNotSupported;
  const bool is_known = params.type == TensorType::kInt8 || params.type == TensorType::kFloat32;
  return is_known ? Status::kOk : Status::kUnsupportedType;
}

Status RunResizeBilinear(RunContext& context) {
  if (context.params<ResizeParams>().type == TensorType::kFloat32) {
    return RunAs<float, float, float>(context);
  }
  return RunAs<int8_t, int32_t, int64_t>(context);
}

}  // namespace

const Operator kResizeBilinear = {static_cast<int32_t>(formats::OperatorCode::kResizeBilinear),
                                  nullptr, PrepareResizeBilinear, RunResizeBilinear};

}  // namespace ota::engine
