// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/requantize.h"
#include "engine/operators/broadcast.h"
#include "engine/operators/operators.h"
#include "engine/operators/patch_rules.h"
#include "engine/operators/quantization.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

struct MulParams {
  Slot first;
  Slot second;
  Slot output;
  BroadcastShape shape;
  int32_t multiplier;
  int16_t zero_points[3];
  QuantizedLimits limits;
  int8_t shift;
  TensorType type;
  uint8_t activation;
  uint8_t unused[3];
};

Status FillQuantization(const TensorInfo& first, const TensorInfo& second, const TensorInfo& output,
                        MulParams& params) {
  OTA_TRY(VerifyQuantized(first));
  OTA_TRY(VerifyQuantized(second));
  OTA_TRY(ComputeQuantizedLimits(output, params.activation, params.limits));
  const Multiplier multiplier = ComputeChannelMultiplier(first.scale, second.scale, output.scale);
  if (multiplier.shift > 31) return Status::kUnsupportedQuantization;
  params.multiplier = multiplier.value;
  params.shift = static_cast<int8_t>(multiplier.shift);
  params.zero_points[0] = static_cast<int16_t>(first.zero_point);
  params.zero_points[1] = static_cast<int16_t>(second.zero_point);
  params.zero_points[2] = static_cast<int16_t>(output.zero_point);
  return Status::kOk;
}

Status PrepareMul(PrepareContext& context) {
  OTA_TRY(const TensorInfo& first, context.ReadInput(0));
  OTA_TRY(const TensorInfo& second, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (first.type != output.type || second.type != output.type) return Status::kUnsupportedType;
  MulParams params{};
  params.type = output.type;
  params.activation = context.OptionU8(0);
  OTA_TRY(ComputeBroadcastShape(first, second, output, params.shape));
  switch (output.type) {
    case TensorType::kInt8:
    case TensorType::kInt16:
      OTA_TRY(FillQuantization(first, second, output, params));
      break;
    case TensorType::kInt32:
      if (params.activation != 0) return Status::kUnsupportedType;
      break;
    case TensorType::kFloat32:
      OTA_TRY(VerifyActivation(params.activation));
      break;
    default:
      return Status::kUnsupportedType;
  }
  params.first = context.InputSlot(0);
  params.second = context.InputSlot(1);
  params.output = context.OutputSlot(0);
  AllowElementwiseOverlap(context, params.shape);
  return context.Commit(params, 3);
}

template <typename Value, typename Compute>
Status RunAs(RunContext& context, Compute compute) {
  const auto& params = context.params<MulParams>();
  return RunBroadcast(context, params.shape, context.DataAs<Value>(params.first),
                      context.DataAs<Value>(params.second), context.DataAs<Value>(params.output),
                      compute);
}

template <typename Value>
Status RunQuantized(RunContext& context) {
  const auto& params = context.params<MulParams>();
  const RoundingMode rounding = context.rounding();
  return RunAs<Value>(context, [&params, rounding](Value a, Value b) {
    const int32_t product = WrappingMultiply(a - params.zero_points[0], b - params.zero_points[1]);
    const int32_t scaled = Requantize(product, {params.multiplier, params.shift}, rounding);
    const int32_t result = WrappingAdd(scaled, params.zero_points[2]);
    return static_cast<Value>(
        std::clamp<int32_t>(result, params.limits.lowest, params.limits.highest));
  });
}

Status RunMul(RunContext& context) {
  const auto& params = context.params<MulParams>();
  const FloatLimits limits = ComputeFloatLimits(params.activation);
  switch (params.type) {
    case TensorType::kInt8:
      return RunQuantized<int8_t>(context);
    case TensorType::kInt16:
      return RunQuantized<int16_t>(context);
    case TensorType::kInt32:
      return RunAs<int32_t>(context, WrappingMultiply);
    default:
      return RunAs<float>(context, [limits](float a, float b) {
        return std::clamp(a * b, limits.lowest, limits.highest);
      });
  }
}

}  // namespace

void AllowMulRows(ChainBuilder& chains, PrepareContext& context, const void* params) {
  AllowElementwiseRows(chains, context, static_cast<const MulParams*>(params)->shape);
}

void SelectMulRows(void* params, const PatchRows& rows) {
  SelectElementwiseRows(static_cast<MulParams*>(params)->shape, rows);
}

const Operator kMul = {static_cast<int32_t>(formats::OperatorCode::kMul), nullptr, PrepareMul,
                       RunMul};

}  // namespace ota::engine
