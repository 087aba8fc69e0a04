// SPDX-License-Identifier: Apache-2.0
// The first half of the audio front end: window, scale, spectrum, energy.
#include <bit>

#include "engine/kernels/signal.h"
#include "engine/operators/operators.h"
#include "engine/operators/signal_options.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {
namespace {

using formats::TensorInfo;
using formats::TensorType;

struct WindowParams {
  Slot input;
  Slot window;
  Slot output;
  uint32_t row_count;
  uint32_t row_length;
  uint32_t shift;
};

Status PrepareWindow(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& window, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifySignalTypes(
      {{input, TensorType::kInt16}, {window, TensorType::kInt16}, {output, TensorType::kInt16}}));
  const uint32_t length = window.element_count;
  if (length == 0 || input.element_count % length != 0) return Status::kUnsupportedShape;
  if (output.element_count != input.element_count) return Status::kUnsupportedShape;
  SignalOptions options(context);
  OTA_TRY(const uint32_t shift, options.ReadBelow("shift", 32));
  WindowParams params{};
  params.input = context.InputSlot(0);
  params.window = context.InputSlot(1);
  params.output = context.OutputSlot(0);
  params.row_count = input.element_count / length;
  params.row_length = length;
  params.shift = shift;
  context.AllowOverlap(0, 0, 0);
  return context.Commit(params, 3);
}

Status RunWindow(RunContext& context) {
  const auto& params = context.params<WindowParams>();
  while (context.unit() < params.row_count) {
    const uint32_t at = context.unit() * params.row_length;
    ApplyWindow(context.DataAs<int16_t>(params.input) + at, context.DataAs<int16_t>(params.window),
                params.row_length, params.shift, context.DataAs<int16_t>(params.output) + at);
    if (context.FinishUnit(params.row_length)) return Status::kBusy;
  }
  return Status::kOk;
}

struct AutoScaleParams {
  Slot input;
  Slot output;
  Slot shift;
  uint32_t count;
};

Status PrepareAutoScale(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(const TensorInfo& shift, context.ReadOutput(1));
  OTA_TRY(VerifySignalTypes(
      {{input, TensorType::kInt16}, {output, TensorType::kInt16}, {shift, TensorType::kInt32}}));
  if (output.element_count != input.element_count || shift.element_count != 1) {
    return Status::kUnsupportedShape;
  }
  AutoScaleParams params{};
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  params.shift = context.OutputSlot(1);
  params.count = input.element_count;
  context.AllowOverlap(0, 0, 0);
  return context.Commit(params, 3);
}

Status RunAutoScale(RunContext& context) {
  const auto& params = context.params<AutoScaleParams>();
  *context.DataAs<int32_t>(params.shift) = AutoScale(
      context.DataAs<int16_t>(params.input), params.count, context.DataAs<int16_t>(params.output));
  return Status::kOk;
}

struct RfftParams {
  Slot input;
  Slot output;
  Slot scratch;
  uint32_t row_count;
  uint32_t row_length;
  uint32_t fft_length;
};

Status PrepareRfft(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifySignalTypes({{input, TensorType::kInt16}, {output, TensorType::kInt16}}));
  SignalOptions options(context);
  OTA_TRY(const uint32_t length, options.ReadBelow("fft_length", kFftLengthMax + 1));
  if (length < kFftLengthMin || !std::has_single_bit(length)) return Status::kUnsupportedShape;
  const auto row_length = static_cast<uint32_t>(input.last_dimension());
  if (row_length == 0 || row_length > length) return Status::kUnsupportedShape;
  const uint32_t row_count = input.element_count / row_length;
  if (output.element_count != uint64_t{row_count} * (length + 2)) return Status::kUnsupportedShape;
  RfftParams params{};
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  params.scratch = context.ScratchSlot(length / 2 * sizeof(ComplexS16));
  params.row_count = row_count;
  params.row_length = row_length;
  params.fft_length = length;
  return context.Commit(params, 3);
}

Status RunRfft(RunContext& context) {
  const auto& params = context.params<RfftParams>();
  while (context.unit() < params.row_count) {
    ComputeRealFft(
        context.DataAs<int16_t>(params.input) + context.unit() * params.row_length,
        params.row_length, params.fft_length, context.DataAs<ComplexS16>(params.scratch),
        context.DataAs<ComplexS16>(params.output) + context.unit() * (params.fft_length / 2 + 1));
    const auto stages = static_cast<uint32_t>(std::bit_width(params.fft_length));
    if (context.FinishUnit(params.fft_length * stages)) return Status::kBusy;
  }
  return Status::kOk;
}

struct EnergyParams {
  Slot input;
  Slot output;
  uint32_t begin;
  uint32_t end;
  uint32_t count;
};

Status PrepareEnergy(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifySignalTypes({{input, TensorType::kInt16}, {output, TensorType::kUint32}}));
  if (input.element_count / 2 < output.element_count) return Status::kUnsupportedShape;
  SignalOptions options(context);
  OTA_TRY(const uint32_t end, options.ReadBelow("end_index", output.element_count + 1));
  OTA_TRY(const uint32_t begin, options.ReadBelow("start_index", end + 1));
  EnergyParams params{};
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  params.begin = begin;
  params.end = end;
  params.count = output.element_count;
  return context.Commit(params, 2);
}

Status RunEnergy(RunContext& context) {
  const auto& params = context.params<EnergyParams>();
  auto* const output = context.DataAs<uint32_t>(params.output);
  for (uint32_t i = 0; i < params.count; ++i) output[i] = 0;
  ComputeEnergy(context.DataAs<ComplexS16>(params.input), params.begin, params.end, output);
  return Status::kOk;
}

}  // namespace

const Operator kSignalWindow = {kCustomCode, "SignalWindow", PrepareWindow, RunWindow};
const Operator kSignalFftAutoScale = {kCustomCode, "SignalFftAutoScale", PrepareAutoScale,
                                      RunAutoScale};
const Operator kSignalRfft = {kCustomCode, "SignalRfft", PrepareRfft, RunRfft};
const Operator kSignalEnergy = {kCustomCode, "SignalEnergy", PrepareEnergy, RunEnergy};

}  // namespace ota::engine
