// SPDX-License-Identifier: Apache-2.0
// The second half of the audio front end: mel filter bank, noise, gain, logarithm.
#include "engine/kernels/signal.h"
#include "engine/operators/operators.h"
#include "engine/operators/signal_options.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {
namespace {

using formats::TensorInfo;
using formats::TensorType;

constexpr uint32_t kChannelCountMax = 1024;

struct FilterBankParams {
  Slot input;
  Slot weights;
  Slot unweights;
  Slot frequency_starts;
  Slot weight_starts;
  Slot widths;
  Slot output;
  uint32_t channel_count;
};

/// Element `index` of a constant int16 tensor, which must not be negative.
Result<uint32_t> ReadIndex(PrepareContext& context, const TensorInfo& tensor, uint32_t index) {
  const auto value =
      static_cast<int16_t>(context.reader().ReadU16(tensor.constant_offset + index * 2));
  OTA_TRY(context.reader().status());
  if (value < 0) return Status::kModelMalformed;
  return static_cast<uint32_t>(value);
}

/// Whether every channel stays within its input and weights, which is all that keeps the kernel in
/// bounds.
Status VerifyChannels(PrepareContext& context, uint32_t channel_count, uint32_t input_count,
                      uint32_t weight_count) {
  OTA_TRY(const TensorInfo& frequency_starts, context.ReadInput(3));
  OTA_TRY(const TensorInfo& weight_starts, context.ReadInput(4));
  OTA_TRY(const TensorInfo& widths, context.ReadInput(5));
  for (const TensorInfo& tensor : {frequency_starts, weight_starts, widths}) {
    if (tensor.type != TensorType::kInt16) return Status::kUnsupportedType;
    if (!tensor.is_constant) return Status::kNotSupported;
    if (tensor.element_count < channel_count + 1) return Status::kUnsupportedShape;
    if (tensor.constant_bytes < tensor.size_bytes) return Status::kModelMalformed;
  }
  for (uint32_t channel = 0; channel <= channel_count; ++channel) {
    OTA_TRY(const uint32_t frequency, ReadIndex(context, frequency_starts, channel));
    OTA_TRY(const uint32_t weight, ReadIndex(context, weight_starts, channel));
    OTA_TRY(const uint32_t width, ReadIndex(context, widths, channel));
    if (!IsInBounds(frequency, width, input_count)) return Status::kModelMalformed;
    if (!IsInBounds(weight, width, weight_count)) return Status::kModelMalformed;
  }
  return Status::kOk;
}

Status PrepareFilterBank(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& weights, context.ReadInput(1));
  OTA_TRY(const TensorInfo& unweights, context.ReadInput(2));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifySignalTypes({{input, TensorType::kUint32},
                             {weights, TensorType::kInt16},
                             {unweights, TensorType::kInt16},
                             {output, TensorType::kUint64}}));
  SignalOptions options(context);
  OTA_TRY(const uint32_t channel_count, options.ReadBelow("num_channels", kChannelCountMax));
  if (output.element_count != channel_count) return Status::kUnsupportedShape;
  if (unweights.element_count != weights.element_count) return Status::kUnsupportedShape;
  OTA_TRY(VerifyChannels(context, channel_count, input.element_count, weights.element_count));
  FilterBankParams params{};
  params.input = context.InputSlot(0);
  params.weights = context.InputSlot(1);
  params.unweights = context.InputSlot(2);
  params.frequency_starts = context.InputSlot(3);
  params.weight_starts = context.InputSlot(4);
  params.widths = context.InputSlot(5);
  params.output = context.OutputSlot(0);
  params.channel_count = channel_count;
  return context.Commit(params, 7);
}

Status RunFilterBank(RunContext& context) {
  const auto& params = context.params<FilterBankParams>();
  const FilterBank bank = {context.DataAs<int16_t>(params.weights),
                           context.DataAs<int16_t>(params.unweights),
                           context.DataAs<int16_t>(params.frequency_starts),
                           context.DataAs<int16_t>(params.weight_starts),
                           context.DataAs<int16_t>(params.widths),
                           params.channel_count};
  AccumulateFilterBank(bank, context.DataAs<uint32_t>(params.input),
                       context.DataAs<uint64_t>(params.output));
  return Status::kOk;
}

struct SquareRootParams {
  Slot input;
  Slot shift;
  Slot output;
  uint32_t count;
};

Status PrepareSquareRoot(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& shift, context.ReadInput(1));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifySignalTypes(
      {{input, TensorType::kUint64}, {shift, TensorType::kInt32}, {output, TensorType::kUint32}}));
  if (shift.element_count != 1 || output.element_count != input.element_count) {
    return Status::kUnsupportedShape;
  }
  SquareRootParams params{};
  params.input = context.InputSlot(0);
  params.shift = context.InputSlot(1);
  params.output = context.OutputSlot(0);
  params.count = input.element_count;
  return context.Commit(params, 3);
}

Status RunSquareRoot(RunContext& context) {
  const auto& params = context.params<SquareRootParams>();
  // A shift that no scaling gives is one that the model made up: it must only do no harm.
  const auto shift = static_cast<uint32_t>(*context.DataAs<int32_t>(params.shift)) & 31;
  const auto* const input = context.DataAs<uint64_t>(params.input);
  auto* const output = context.DataAs<uint32_t>(params.output);
  for (uint32_t i = 0; i < params.count; ++i) output[i] = ComputeSquareRoot(input[i]) >> shift;
  return Status::kOk;
}

struct NoiseParams {
  Slot input;
  Slot output;
  Slot noise_output;
  Slot noise_estimate;
  uint32_t count;
  SpectralSubtraction settings;
};

Result<SpectralSubtraction> ReadSettings(PrepareContext& context) {
  SignalOptions options(context);
  constexpr uint32_t kAny = INT32_MAX;
  SpectralSubtraction settings{};
  OTA_TRY(settings.smoothing[0], options.ReadBelow("smoothing", kAny));
  OTA_TRY(settings.smoothing[1], options.ReadBelow("alternate_smoothing", kAny));
  OTA_TRY(settings.one_minus_smoothing[0], options.ReadBelow("one_minus_smoothing", kAny));
  OTA_TRY(settings.one_minus_smoothing[1],
          options.ReadBelow("alternate_one_minus_smoothing", kAny));
  OTA_TRY(settings.min_signal_remaining, options.ReadBelow("min_signal_remaining", kAny));
  OTA_TRY(settings.smoothing_bits, options.ReadBelow("smoothing_bits", 32));
  OTA_TRY(settings.bits, options.ReadBelow("spectral_subtraction_bits", 64));
  OTA_TRY(settings.is_clamping, options.ReadBelow("clamping", 2));
  return settings;
}

Status PrepareNoise(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(const TensorInfo& noise, context.ReadOutput(1));
  OTA_TRY(VerifySignalTypes(
      {{input, TensorType::kUint32}, {output, TensorType::kUint32}, {noise, TensorType::kUint32}}));
  if (output.element_count != input.element_count || noise.element_count != input.element_count) {
    return Status::kUnsupportedShape;
  }
  NoiseParams params{};
  OTA_TRY(params.settings, ReadSettings(context));
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  params.noise_output = context.OutputSlot(1);
  params.noise_estimate = context.StateSlot(input.size_bytes);
  params.count = input.element_count;
  return context.Commit(params, 4);
}

Status RunNoise(RunContext& context) {
  const auto& params = context.params<NoiseParams>();
  auto* const estimate = context.DataAs<uint32_t>(params.noise_estimate);
  SubtractNoise(params.settings, context.DataAs<uint32_t>(params.input), params.count,
                context.DataAs<uint32_t>(params.output), estimate);
  auto* const noise_output = context.DataAs<uint32_t>(params.noise_output);
  for (uint32_t i = 0; i < params.count; ++i) noise_output[i] = estimate[i];
  return Status::kOk;
}

struct GainParams {
  Slot input;
  Slot noise_estimate;
  Slot gain_table;
  Slot output;
  uint32_t count;
  uint32_t shift;
};

Status PrepareGain(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& noise, context.ReadInput(1));
  OTA_TRY(const TensorInfo& gain_table, context.ReadInput(2));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifySignalTypes({{input, TensorType::kUint32},
                             {noise, TensorType::kUint32},
                             {gain_table, TensorType::kInt16},
                             {output, TensorType::kUint32}}));
  if (noise.element_count != input.element_count || output.element_count != input.element_count ||
      gain_table.element_count < kGainTableEntries) {
    return Status::kUnsupportedShape;
  }
  SignalOptions options(context);
  OTA_TRY(const uint32_t shift, options.ReadBelow("snr_shift", 64));
  GainParams params{};
  params.input = context.InputSlot(0);
  params.noise_estimate = context.InputSlot(1);
  params.gain_table = context.InputSlot(2);
  params.output = context.OutputSlot(0);
  params.count = input.element_count;
  params.shift = shift;
  context.AllowOverlap(0, 0, 0);
  return context.Commit(params, 4);
}

Status RunGain(RunContext& context) {
  const auto& params = context.params<GainParams>();
  const auto* const input = context.DataAs<uint32_t>(params.input);
  const auto* const noise = context.DataAs<uint32_t>(params.noise_estimate);
  const auto* const table = context.DataAs<int16_t>(params.gain_table);
  auto* const output = context.DataAs<uint32_t>(params.output);
  for (uint32_t i = 0; i < params.count; ++i) {
    output[i] = ApplyGainControl(input[i], noise[i], table, params.shift);
  }
  return Status::kOk;
}

struct LogarithmParams {
  Slot input;
  Slot output;
  uint32_t count;
  uint32_t output_scale;
  uint32_t correction_bits;
};

Status PrepareLogarithm(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifySignalTypes({{input, TensorType::kUint32}, {output, TensorType::kInt16}}));
  if (output.element_count != input.element_count) return Status::kUnsupportedShape;
  SignalOptions options(context);
  LogarithmParams params{};
  OTA_TRY(params.output_scale, options.ReadBelow("output_scale", INT32_MAX));
  OTA_TRY(params.correction_bits, options.ReadBelow("input_correction_bits", 32));
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  params.count = input.element_count;
  context.AllowOverlap(0, 0, 0);
  return context.Commit(params, 2);
}

Status RunLogarithm(RunContext& context) {
  const auto& params = context.params<LogarithmParams>();
  const auto* const input = context.DataAs<uint32_t>(params.input);
  auto* const output = context.DataAs<int16_t>(params.output);
  for (uint32_t i = 0; i < params.count; ++i) {
    output[i] = ComputeLogarithm(input[i], params.output_scale, params.correction_bits);
  }
  return Status::kOk;
}

}  // namespace

const Operator kSignalFilterBank = {kCustomCode, "SignalFilterBank", PrepareFilterBank,
                                    RunFilterBank};
const Operator kSignalFilterBankSquareRoot = {kCustomCode, "SignalFilterBankSquareRoot",
                                              PrepareSquareRoot, RunSquareRoot};
const Operator kSignalFilterBankSpectralSubtraction = {
    kCustomCode, "SignalFilterBankSpectralSubtraction", PrepareNoise, RunNoise};
const Operator kSignalPcan = {kCustomCode, "SignalPCAN", PrepareGain, RunGain};
const Operator kSignalFilterBankLog = {kCustomCode, "SignalFilterBankLog", PrepareLogarithm,
                                       RunLogarithm};

}  // namespace ota::engine
