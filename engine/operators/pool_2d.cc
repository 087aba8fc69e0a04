// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/operators/operators.h"
#include "engine/operators/patch_rules.h"
#include "engine/operators/quantization.h"
#include "engine/operators/window.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::FlatField;
using formats::FlatKind;
using formats::TensorInfo;
using formats::TensorType;

namespace {

struct PoolParams {
  Slot input;
  Slot output;
  WindowShape shape;
  QuantizedLimits limits;
  TensorType type;
  uint8_t activation;
  uint16_t unused;
};

constexpr FlatField kOptionFields[] = {{0, FlatKind::kU8},
                                       {1, FlatKind::kI32},
                                       {2, FlatKind::kI32},
                                       {5, FlatKind::kU8},
                                       {formats::kAbsentSlot, FlatKind::kOne},
                                       {formats::kAbsentSlot, FlatKind::kOne},
                                       {3, FlatKind::kI32},
                                       {4, FlatKind::kI32},
                                       {}};
static_assert(formats::CountWords(kOptionFields) * 4 == sizeof(WindowOptions));

Status VerifySameQuantization(const TensorInfo& input, const TensorInfo& output) {
  OTA_TRY(VerifyQuantized(input));
  const bool is_same = std::fabs(input.scale - output.scale) <= 1e-6f;
  return is_same && input.zero_point == output.zero_point ? Status::kOk
                                                          : Status::kUnsupportedQuantization;
}

Status PreparePool(PrepareContext& context) {
  TensorInfo input, output;
  context.ReadOperands(0, input, output);
  if (input.type != output.type) return Status::kUnsupportedType;
  WindowOptions options;
  ReadWindowOptions(context, kOptionFields, options);
  PoolParams params{};
  params.type = input.type;
  params.activation = static_cast<uint8_t>(options.activation);
  OTA_TRY(ComputeWindowShape(input, output, options, params.shape));
  if (input.dimension(3) != output.dimension(3)) return Status::kUnsupportedShape;
  if (input.type == TensorType::kFloat32) {
    OTA_TRY(VerifyActivation(params.activation));
  } else {
    OTA_TRY(ComputeQuantizedLimits(output, params.activation, params.limits));
    OTA_TRY(VerifySameQuantization(input, output));
    if (input.type == TensorType::kUint8) return Status::kUnsupportedType;
  }
  params.input = context.InputSlot(input);
  params.output = context.OutputSlot(output);
  if (params.shape.batch_count == 1) {
    context.AllowOverlap(0, 0, ComputeRowOverlap(params.shape, formats::ElementBytes(input.type)));
  }
  return context.Commit(params, 2);
}

// Each kind of pool folds the values of a window and finishes with their count.
struct Average {
  template <typename Value, typename Sum>
  static Sum Begin() {
    return 0;
  }
  static int32_t Fold(int32_t sum, int32_t value) { return sum + value; }
  static float Fold(float sum, float value) { return sum + value; }
  static int32_t Finish(int32_t sum, int32_t count) {
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
  }
  static float Finish(float sum, int32_t count) { return sum / static_cast<float>(count); }
};
struct Maximum {
  template <typename Value, typename Sum>
  static Sum Begin() {
    return std::numeric_limits<Value>::lowest();
  }
  static int32_t Fold(int32_t highest, int32_t value) { return std::max(highest, value); }
  static float Fold(float highest, float value) { return std::max(highest, value); }
  static int32_t Finish(int32_t highest, int32_t) { return highest; }
  static float Finish(float highest, int32_t) { return highest; }
};

template <typename Kind, typename Value, typename Sum>
class PoolRow {
 public:
  PoolRow(RunContext& context, const PoolParams& params, Sum lowest, Sum highest)
      : shape_(params.shape),
        input_(context.DataAs<Value>(params.input)),
        output_(context.DataAs<Value>(params.output)),
        lowest_(lowest),
        highest_(highest) {}

  void Run(uint32_t line) const {
    const uint32_t batch = line / shape_.output_height;
    const uint32_t channels = shape_.input_channels;
    const Value* const image = input_ + batch * shape_.input_height * shape_.input_width * channels;
    Value* output = output_ + line * shape_.output_width * channels;
    const int32_t y = shape_.InputRow(line % shape_.output_height);
    const TapRange rows = FindTaps(y, shape_.window_height, shape_.input_height);
    for (uint32_t column = 0; column < shape_.output_width; ++column) {
      const int32_t x = shape_.InputColumn(column);
      const TapRange columns = FindTaps(x, shape_.window_width, shape_.input_width);
      const int32_t first = (y + rows.begin) * shape_.input_width + x + columns.begin;
      const Value* const corner = image + static_cast<uint32_t>(first) * channels;
      for (uint32_t channel = 0; channel < channels; ++channel) {
        output[channel] =
            Pool(corner + channel, rows.end - rows.begin, columns.end - columns.begin);
      }
      output += channels;
    }
  }

 private:
  Value Pool(const Value* corner, int32_t rows, int32_t columns) const {
    Sum sum = Kind::template Begin<Value, Sum>();
    for (int32_t y = 0; y < rows; ++y) {
      const Value* at =
          corner + static_cast<uint32_t>(y) * shape_.input_width * shape_.input_channels;
      for (int32_t x = 0; x < columns; ++x, at += shape_.input_channels)
        sum = Kind::Fold(sum, Sum{*at});
    }
    const Sum result = Kind::Finish(sum, rows * columns);
    return static_cast<Value>(std::clamp(result, lowest_, highest_));
  }

  const WindowShape& shape_;
  const Value* input_;
  Value* output_;
  Sum lowest_;
  Sum highest_;
};

template <typename Kind, typename Value, typename Sum>
Status RunRows(RunContext& context, Sum lowest, Sum highest) {
  const auto& params = context.params<PoolParams>();
  const WindowShape& shape = params.shape;
  const PoolRow<Kind, Value, Sum> row(context, params, lowest, highest);
  const uint32_t work = uint32_t{shape.output_width} * shape.output_channels * shape.window_height *
                        shape.window_width;
  while (context.unit() < uint32_t{shape.batch_count} * shape.output_height) {
    row.Run(context.unit());
    if (context.FinishUnit(work)) return Status::kBusy;
  }
  return Status::kOk;
}

template <typename Kind>
Status RunPoolInt8(RunContext& context) {
  const auto& params = context.params<PoolParams>();
  return RunRows<Kind, int8_t, int32_t>(context, params.limits.lowest, params.limits.highest);
}

template <typename Kind>
Status RunPool(RunContext& context) {
  const auto& params = context.params<PoolParams>();
  const FloatLimits floats = ComputeFloatLimits(params.activation);
  switch (params.type) {
    case TensorType::kInt8:
      return RunPoolInt8<Kind>(context);
    case TensorType::kInt16:
      return RunRows<Kind, int16_t, int32_t>(context, params.limits.lowest, params.limits.highest);
    default:
      return RunRows<Kind, float, float>(context, floats.lowest, floats.highest);
  }
}

}  // namespace

void AllowPoolRows(ChainBuilder& chains, PrepareContext& context, const void* params) {
  AllowWindowRows(chains, context, static_cast<const PoolParams*>(params)->shape);
}

void SelectPoolRows(void* params, const PatchRows& rows) {
  SelectWindowRows(static_cast<PoolParams*>(params)->shape, rows);
}

const Operator kAveragePool2d = {static_cast<int32_t>(formats::OperatorCode::kAveragePool2d),
                                 nullptr, PreparePool, RunPool<Average>};
const Operator kAveragePool2dInt8 = {static_cast<int32_t>(formats::OperatorCode::kAveragePool2d),
                                     nullptr, PreparePool, RunPoolInt8<Average>, true};
const Operator kMaxPool2d = {static_cast<int32_t>(formats::OperatorCode::kMaxPool2d), nullptr,
                             PreparePool, RunPool<Maximum>};

}  // namespace ota::engine
