// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/sum.h"

#include <array>

#include "engine/kernels/requantize.h"
#include "engine/kernels/sum.h"
#include "engine/operators/patch_rules.h"
#include "engine/operators/quantization.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kSumShiftS16 = 15;

struct SumParams {
  Slot first;
  Slot second;
  Slot output;
  BroadcastShape shape;
  int32_t multipliers[3];  ///< of the inputs and the output
  int16_t zero_points[3];
  QuantizedLimits limits;
  int8_t shifts[3];
  uint8_t unused;
  TensorType type;
  uint8_t activation;
};

using Multipliers = std::array<Multiplier, 3>;
using ComputeMultipliers = Multipliers (*)(float first, float second, float output,
                                           int32_t left_shift);

// In double precision.
Multipliers ComputeAddMultipliers(float first, float second, float output, int32_t left_shift) {
  const float larger = std::max(first, second);
  return {ComputeMultiplier(first, 1.0f, larger, -1), ComputeMultiplier(second, 1.0f, larger, -1),
          ComputeMultiplier(larger, 1.0f, output, 1 - left_shift)};
}

// In single precision.
Multipliers ComputeSubMultipliers(float first, float second, float output, int32_t left_shift) {
  const float twice = 2.0f * std::max(first, second);
  const auto power = static_cast<float>(1 << left_shift);
  return {ComputeMultiplier(first / twice, 1.0f, 1.0f),
          ComputeMultiplier(second / twice, 1.0f, 1.0f),
          ComputeMultiplier(twice / (power * output), 1.0f, 1.0f)};
}

Status FillQuantization(ComputeMultipliers compute, const TensorInfo& first,
                        const TensorInfo& second, const TensorInfo& output, SumParams& params) {
  OTA_TRY(VerifyQuantized(first));
  OTA_TRY(VerifyQuantized(second));
  OTA_TRY(ComputeQuantizedLimits(output, params.activation, params.limits));
  const auto left_shift =
      static_cast<int32_t>(output.type == TensorType::kInt16 ? kSumShiftS16 : kSumShiftS8);
  const Multipliers multipliers = compute(first.scale, second.scale, output.scale, left_shift);
  for (uint32_t i = 0; i < 3; ++i) {
    const Multiplier& multiplier = multipliers[i];
    if (multiplier.shift > 31) return Status::kUnsupportedQuantization;
    params.multipliers[i] = multiplier.value;
    params.shifts[i] = static_cast<int8_t>(multiplier.shift);
  }
  params.zero_points[0] = static_cast<int16_t>(first.zero_point);
  params.zero_points[1] = static_cast<int16_t>(second.zero_point);
  params.zero_points[2] = static_cast<int16_t>(output.zero_point);
  return Status::kOk;
}

Status RunInt16(RunContext& context, SumKind kind) {
  const auto& params = context.params<SumParams>();
  const RoundingMode rounding = context.rounding();
  const auto scale = [&params, rounding](int32_t value, uint32_t input) {
    const int32_t shifted = WrappingShiftLeft(value - params.zero_points[input], kSumShiftS16);
    return Requantize(shifted, {params.multipliers[input], params.shifts[input]}, rounding);
  };
  return RunBroadcast(
      context, params.shape, context.DataAs<int16_t>(params.first),
      context.DataAs<int16_t>(params.second), context.DataAs<int16_t>(params.output),
      [&](int16_t a, int16_t b) {
        const int32_t first = scale(a, 0);
        const int32_t second = scale(b, 1);
        const int32_t sum =
            kind == SumKind::kAdd ? WrappingAdd(first, second) : WrappingSubtract(first, second);
        const int32_t scaled = Requantize(sum, {params.multipliers[2], params.shifts[2]}, rounding);
        const int32_t result = WrappingAdd(scaled, params.zero_points[2]);
        return static_cast<int16_t>(
            std::clamp<int32_t>(result, params.limits.lowest, params.limits.highest));
      });
}

Status RunInt32(RunContext& context, SumKind kind) {
  const auto& params = context.params<SumParams>();
  return RunBroadcast(context, params.shape, context.DataAs<int32_t>(params.first),
                      context.DataAs<int32_t>(params.second),
                      context.DataAs<int32_t>(params.output), [kind](int32_t a, int32_t b) {
                        return kind == SumKind::kAdd ? WrappingAdd(a, b) : WrappingSubtract(a, b);
                      });
}

Status RunFloat(RunContext& context, SumKind kind) {
  const auto& params = context.params<SumParams>();
  const FloatLimits limits = ComputeFloatLimits(params.activation);
  return RunBroadcast(context, params.shape, context.DataAs<float>(params.first),
                      context.DataAs<float>(params.second), context.DataAs<float>(params.output),
                      [kind, limits](float a, float b) {
                        const float sum = kind == SumKind::kAdd ? a + b : a - b;
                        return std::clamp(sum, limits.lowest, limits.highest);
                      });
}

SumS8 MakeSumS8(RunContext& context, SumKind kind) {
  const auto& params = context.params<SumParams>();
  SumS8 sum;
  for (uint32_t i = 0; i < 3; ++i) {
    sum.multipliers[i] = {params.multipliers[i], params.shifts[i]};
    sum.zero_points[i] = params.zero_points[i];
  }
  sum.lowest = params.limits.lowest;
  sum.highest = params.limits.highest;
  sum.is_difference = kind == SumKind::kSubtract;
  sum.rounding = context.rounding();
  return sum;
}

}  // namespace

namespace {

// Checks shapes and types, and fills what comes of them.
using FillSum = Status (*)(SumKind kind, const TensorInfo& first, const TensorInfo& second,
                           const TensorInfo& output, SumParams& params);

Status FillAnySum(SumKind kind, const TensorInfo& first, const TensorInfo& second,
                  const TensorInfo& output, SumParams& params) {
  OTA_TRY(ComputeBroadcastShape(first, second, output, params.shape));
  switch (output.type) {
    case TensorType::kInt8:
    case TensorType::kInt16:
      return FillQuantization(kind == SumKind::kAdd ? ComputeAddMultipliers : ComputeSubMultipliers,
                              first, second, output, params);
    case TensorType::kInt32:
      return params.activation == 0 ? Status::kOk : Status::kUnsupportedType;
    case TensorType::kFloat32:
      return VerifyActivation(params.activation);
    default:
      return Status::kUnsupportedType;
  }
}

Status FillEqualAdd(SumKind, const TensorInfo& first, const TensorInfo& second,
                    const TensorInfo& output, SumParams& params) {
  const uint32_t count = output.element_count;
  if (count == 0 || first.element_count != count || second.element_count != count) {
    return Status::kUnsupportedShape;
  }
  params.shape.rank = 1;
  params.shape.dimensions[0] = count;
  return FillQuantization(ComputeAddMultipliers, first, second, output, params);
}

template <FillSum kFill>
Status PrepareAs(PrepareContext& context, SumKind kind) {
  TensorInfo first, second, output;
  context.ReadOperands(0, first, output);
  context.ReadInput(1, second);
  if (first.type != output.type || second.type != output.type) return Status::kUnsupportedType;
  SumParams params{};
  params.type = output.type;
  params.activation = context.OptionU8(0);
  OTA_TRY(kFill(kind, first, second, output, params));
  params.first = context.InputSlot(first);
  params.second = context.InputSlot(second);
  params.output = context.OutputSlot(output);
  AllowElementwiseOverlap(context, params.shape);
  return context.Commit(params, 3);
}

}  // namespace

Status PrepareSum(PrepareContext& context, SumKind kind) {
  return PrepareAs<FillAnySum>(context, kind);
}

Status PrepareEqualAddInt8(PrepareContext& context) {
  return PrepareAs<FillEqualAdd>(context, SumKind::kAdd);
}

Status RunSumInt8(RunContext& context, SumKind kind) {
  const SumS8 sum = MakeSumS8(context, kind);
  const auto& params = context.params<SumParams>();
  return RunBroadcastRows(
      context, params.shape, context.DataAs<int8_t>(params.first),
      context.DataAs<int8_t>(params.second), context.DataAs<int8_t>(params.output),
      [&sum](const int8_t* first, uint32_t first_step, const int8_t* second, uint32_t second_step,
             int8_t* output, uint32_t count) {
        ComputeSumRowS8(sum, {first, second, output, first_step, second_step, count});
      });
}

Status RunEqualAddInt8(RunContext& context) {
  const SumS8 sum = MakeSumS8(context, SumKind::kAdd);
  const auto& params = context.params<SumParams>();
  const uint32_t total = params.shape.dimensions[0];
  while (context.unit() * kElementsPerUnit < total) {
    const uint32_t at = context.unit() * kElementsPerUnit;
    const uint32_t count = std::min(kElementsPerUnit, total - at);
    ComputeSumRowS8(
        sum, {context.DataAs<int8_t>(params.first) + at, context.DataAs<int8_t>(params.second) + at,
              context.DataAs<int8_t>(params.output) + at, 1, 1, count});
    if (context.FinishUnit(kElementsPerUnit)) return Status::kBusy;
  }
  return Status::kOk;
}

void AllowSumRows(ChainBuilder& chains, PrepareContext& context, const void* params) {
  AllowElementwiseRows(chains, context, static_cast<const SumParams*>(params)->shape);
}

void SelectSumRows(void* params, const PatchRows& rows) {
  SelectElementwiseRows(static_cast<SumParams*>(params)->shape, rows);
}

Status RunSum(RunContext& context, SumKind kind) {
  switch (context.params<SumParams>().type) {
    case TensorType::kInt8:
      return RunSumInt8(context, kind);
    case TensorType::kInt16:
      return RunInt16(context, kind);
    case TensorType::kInt32:
      return RunInt32(context, kind);
    default:
      return RunFloat(context, kind);
  }
}

}  // namespace ota::engine
