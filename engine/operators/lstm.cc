// SPDX-License-Identifier: Apache-2.0
// UNIDIRECTIONAL_SEQUENCE_LSTM: int8 activations and weights, int16 cell state, no peephole,
// projection or layer normalisation. Result of TensorFlow Lite Micro's lstm_eval.h.
//
// One unit of the state at a time: its four gates from the old hidden state, then its cell, then
// its new hidden value, which is kept aside until all units of the time step are done.
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/kernels/requantize.h"
#include "engine/kernels/sigmoid_s16.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/streamed_row.h"
#include "formats/tflite/schema.h"

namespace ota::engine {
namespace {

using formats::TensorInfo;
using formats::TensorType;

constexpr uint32_t kGateCount = 4;
/// Order of the gates among the operands.
enum Gate : uint32_t { kInputGate = 0, kForgetGate = 1, kCellGate = 2, kOutputGate = 3 };

// Operands: input, weights of the input, weights of the hidden state, biases, the two states.
constexpr uint32_t kInputWeights = 1;
constexpr uint32_t kRecurrentWeights = 5;
constexpr uint32_t kBiases = 12;
constexpr uint32_t kHiddenState = 18;
constexpr uint32_t kCellState = 19;

constexpr uint32_t kActivationOption = 0;
constexpr uint32_t kCellClipOption = 1;
constexpr uint32_t kTimeMajorOption = 3;
constexpr uint8_t kTanhActivation = 4;

constexpr float kGateScale = 1.0f / 4096;            // of a gate before its activation
constexpr float kActivatedGateScale = 1.0f / 32768;  // and after it

struct GateParams {
  StreamedMatrix input_weights;
  StreamedMatrix recurrent_weights;
  Multiplier input_multiplier;
  Multiplier recurrent_multiplier;
};

struct LstmParams {
  Slot input;
  Slot hidden;
  Slot cell;
  Slot output;
  Slot biases[kGateCount];
  Slot new_hidden;
  Slot page;
  uint32_t page_bytes;
  GateParams gates[kGateCount];
  Multiplier forget_multiplier;
  Multiplier update_multiplier;
  Multiplier output_multiplier;
  SigmoidScale cell_tanh;
  int32_t cell_clip;  ///< 0: none
  int32_t input_zero_point;
  int32_t hidden_zero_point;
  uint32_t batch_count;
  uint32_t step_count;
  uint32_t input_size;
  uint32_t state_size;
  uint32_t is_time_major;
};

struct LstmTensors {
  TensorInfo input;
  TensorInfo hidden;
  TensorInfo cell;
  TensorInfo output;
};

Status VerifyVariantIsPlain(PrepareContext& context) {
  if (context.input_count() != 24) return Status::kModelMalformed;
  for (const uint32_t index : {9u, 10u, 11u, 16u, 17u, 20u, 21u, 22u, 23u}) {
    if (context.HasInput(index)) return Status::kNotSupported;
  }
  return context.OptionU8(kActivationOption) == kTanhActivation ? Status::kOk
                                                                : Status::kNotSupported;
}

Result<LstmTensors> ReadTensors(PrepareContext& context) {
  LstmTensors tensors;
  OTA_TRY(tensors.input, context.ReadInput(0));
  OTA_TRY(tensors.hidden, context.ReadInput(kHiddenState));
  OTA_TRY(tensors.cell, context.ReadInput(kCellState));
  OTA_TRY(tensors.output, context.ReadOutput(0));
  const bool are_types_right =
      tensors.input.type == TensorType::kInt8 && tensors.hidden.type == TensorType::kInt8 &&
      tensors.output.type == TensorType::kInt8 && tensors.cell.type == TensorType::kInt16;
  if (!are_types_right) return Status::kUnsupportedType;
  if (!tensors.hidden.is_variable || !tensors.cell.is_variable) return Status::kModelMalformed;
  for (const TensorInfo* tensor : {&tensors.input, &tensors.hidden, &tensors.cell}) {
    OTA_TRY(VerifyQuantized(*tensor));
  }
  return tensors;
}

Status SetShape(const LstmTensors& tensors, bool is_time_major, LstmParams& params) {
  if (tensors.input.rank != 3 || tensors.output.rank != 3 || tensors.hidden.rank == 0) {
    return Status::kUnsupportedShape;
  }
  const auto dimension = [&](uint32_t i) {
    return static_cast<uint32_t>(tensors.input.dimension(i));
  };
  params.is_time_major = is_time_major ? 1 : 0;
  params.batch_count = dimension(is_time_major ? 1 : 0);
  params.step_count = dimension(is_time_major ? 0 : 1);
  params.input_size = dimension(2);
  params.state_size = static_cast<uint32_t>(tensors.hidden.last_dimension());
  const uint64_t state_elements = uint64_t{params.batch_count} * params.state_size;
  const bool do_sizes_agree =
      params.input_size > 0 && params.state_size > 0 &&
      tensors.hidden.element_count == state_elements &&
      tensors.cell.element_count == state_elements &&
      tensors.output.dimension(0) == tensors.input.dimension(0) &&
      tensors.output.dimension(1) == tensors.input.dimension(1) &&
      static_cast<uint32_t>(tensors.output.dimension(2)) == params.state_size;
  return do_sizes_agree ? Status::kOk : Status::kUnsupportedShape;
}

/// Weights of a gate for one of its two vectors, which has `columns` elements of scale `scale`.
Status SetMatrix(PrepareContext& context, uint32_t index, uint32_t rows, uint32_t columns,
                 float scale, StreamedMatrix& matrix, Multiplier& multiplier) {
  OTA_TRY(const TensorInfo& weights, context.ReadInput(index));
  if (weights.type != TensorType::kInt8) return Status::kUnsupportedType;
  OTA_TRY(VerifyQuantized(weights));
  if (weights.scale_count > 1 || weights.zero_point != 0) return Status::kUnsupportedQuantization;
  OTA_TRY(matrix, DescribeMatrix(weights, rows, columns));
  // The product is float32, as in the reference of fully connected layers.
  const ExactReal product = ExactReal::FromFloat(scale * weights.scale);
  multiplier = QuantizeMultiplier(product.DividedBy(ExactReal::FromFloat(kGateScale)));
  context.AddWeights(weights.size_bytes);
  return Status::kOk;
}

Status SetGate(PrepareContext& context, const LstmTensors& tensors, uint32_t gate,
               LstmParams& params) {
  GateParams& target = params.gates[gate];
  OTA_TRY(SetMatrix(context, kInputWeights + gate, params.state_size, params.input_size,
                    tensors.input.scale, target.input_weights, target.input_multiplier));
  OTA_TRY(SetMatrix(context, kRecurrentWeights + gate, params.state_size, params.state_size,
                    tensors.hidden.scale, target.recurrent_weights, target.recurrent_multiplier));
  OTA_TRY(const TensorInfo& bias, context.ReadInput(kBiases + gate));
  if (bias.type != TensorType::kInt32) return Status::kUnsupportedType;
  return bias.element_count == params.state_size ? Status::kOk : Status::kUnsupportedShape;
}

/// What the cell may reach, in its own scale, cut towards zero; 0 for no limit.
int32_t ComputeCellClip(float clip, float scale) {
  if (!(clip > 0)) return 0;
  const ExactReal quotient = ExactReal::FromFloat(clip).DividedBy(ExactReal::FromFloat(scale));
  if (quotient.exponent() > -38) return INT16_MAX;  // 2^15 or more
  const int32_t shift = -quotient.exponent();
  return shift > 63 ? 0 : static_cast<int32_t>(quotient.mantissa() >> shift);
}

Status SetStateArithmetic(const LstmTensors& tensors, float clip, LstmParams& params) {
  const float cell_scale = tensors.cell.scale;
  const int32_t power = ComputeScalePower(cell_scale).power;
  if (power < -27 || power > -1) return Status::kUnsupportedQuantization;
  params.cell_tanh = MakeSigmoidScale(power);
  params.cell_clip = ComputeCellClip(clip, cell_scale);
  params.forget_multiplier = ComputeChannelMultiplier(kActivatedGateScale, cell_scale, cell_scale);
  params.update_multiplier =
      ComputeChannelMultiplier(kActivatedGateScale, kActivatedGateScale, cell_scale);
  params.output_multiplier =
      ComputeChannelMultiplier(kActivatedGateScale, kActivatedGateScale, tensors.hidden.scale);
  params.input_zero_point = tensors.input.zero_point;
  params.hidden_zero_point = tensors.hidden.zero_point;
  return Status::kOk;
}

void SetSlots(PrepareContext& context, LstmParams& params) {
  params.input = context.InputSlot(0);
  params.hidden = context.VariableSlot(kHiddenState);
  params.cell = context.VariableSlot(kCellState);
  params.output = context.OutputSlot(0);
  for (uint32_t gate = 0; gate < kGateCount; ++gate) {
    params.biases[gate] = context.InputSlot(kBiases + gate);
  }
  params.new_hidden = context.ScratchSlot(params.state_size);
  params.page_bytes = RowPageBytes(context, std::max(params.input_size, params.state_size));
  params.page = context.ScratchSlot(params.page_bytes);
}

Status PrepareLstm(PrepareContext& context) {
  OTA_TRY(VerifyVariantIsPlain(context));
  OTA_TRY(const LstmTensors tensors, ReadTensors(context));
  LstmParams params{};
  const bool is_time_major = context.OptionBool(kTimeMajorOption);
  OTA_TRY(SetShape(tensors, is_time_major, params));
  for (uint32_t gate = 0; gate < kGateCount; ++gate) {
    OTA_TRY(SetGate(context, tensors, gate, params));
  }
  OTA_TRY(SetStateArithmetic(tensors, context.OptionF32(kCellClipOption), params));
  SetSlots(context, params);
  const uint64_t step_macs =
      uint64_t{kGateCount} * params.state_size * (params.input_size + params.state_size);
  const uint64_t steps = uint64_t{params.batch_count} * params.step_count;
  context.AddMacs(steps * step_macs);
  if (!context.is_mapped()) {
    context.AddReads(static_cast<uint32_t>(step_macs), static_cast<uint32_t>(steps));
  }
  return context.Commit(params, 4 + kGateCount + 2);
}

int16_t ClampS16(int32_t value) {
  return static_cast<int16_t>(std::clamp<int32_t>(value, INT16_MIN, INT16_MAX));
}

/// One time step of one batch.
class LstmStep {
 public:
  LstmStep(RunContext& context, const LstmParams& params, uint32_t index)
      : context_(context), params_(params), batch_(index / params.step_count) {
    const uint32_t time = index % params.step_count;
    row_ = params.is_time_major != 0 ? time * params.batch_count + batch_ : index;
  }

  Status ComputeUnit(uint32_t unit) {
    std::array<int16_t, kGateCount> gates;
    for (uint32_t gate = 0; gate < kGateCount; ++gate) {
      OTA_TRY(gates[gate], ComputeGate(gate, unit));
    }
    int16_t& cell = context_.DataAs<int16_t>(params_.cell)[batch_ * params_.state_size + unit];
    const int16_t kept = Scale(gates[kForgetGate], cell, params_.forget_multiplier);
    const int16_t added = Scale(gates[kInputGate], gates[kCellGate], params_.update_multiplier);
    cell = ClampS16(kept + added);
    if (params_.cell_clip > 0) {
      cell = static_cast<int16_t>(std::clamp<int32_t>(cell, -params_.cell_clip, params_.cell_clip));
    }
    const int32_t product = TanhS16(cell, params_.cell_tanh) * gates[kOutputGate];
    const int32_t hidden = Requantize(product, params_.output_multiplier, context_.rounding()) +
                           params_.hidden_zero_point;
    context_.DataAs<int8_t>(params_.new_hidden)[unit] =
        static_cast<int8_t>(std::clamp<int32_t>(hidden, INT8_MIN, INT8_MAX));
    return Status::kOk;
  }

  void Finish() {
    const auto* const hidden = context_.DataAs<int8_t>(params_.new_hidden);
    std::memcpy(Hidden(), hidden, params_.state_size);
    std::memcpy(context_.DataAs<int8_t>(params_.output) + row_ * params_.state_size, hidden,
                params_.state_size);
  }

 private:
  int8_t* Hidden() const {
    return context_.DataAs<int8_t>(params_.hidden) + batch_ * params_.state_size;
  }

  Result<int16_t> ComputeGate(uint32_t gate, uint32_t unit) {
    const GateParams& params = params_.gates[gate];
    uint8_t* const page = context_.Data(params_.page);
    const int8_t* const input = context_.DataAs<int8_t>(params_.input) + row_ * params_.input_size;
    OTA_TRY(const int32_t from_input, DotRowS8(context_, params.input_weights, unit, input,
                                               params_.input_zero_point, page, params_.page_bytes));
    OTA_TRY(const int32_t from_hidden,
            DotRowS8(context_, params.recurrent_weights, unit, Hidden(), params_.hidden_zero_point,
                     page, params_.page_bytes));
    const int32_t bias = context_.DataAs<int32_t>(params_.biases[gate])[unit];
    const int16_t first = ClampS16(
        Requantize(WrappingAdd(from_input, bias), params.input_multiplier, context_.rounding()));
    const int16_t second =
        ClampS16(Requantize(from_hidden, params.recurrent_multiplier, context_.rounding()));
    const int16_t sum = ClampS16(first + second);
    return gate == kCellGate ? TanhS16(sum, MakeSigmoidScale(-12)) : SigmoidS16(sum);
  }

  int16_t Scale(int16_t a, int16_t b, Multiplier multiplier) const {
    return ClampS16(Requantize(a * b, multiplier, context_.rounding()));
  }

  RunContext& context_;
  const LstmParams& params_;
  uint32_t batch_;
  uint32_t row_;  ///< of input and output
};

Status RunLstm(RunContext& context) {
  const auto& params = context.params<LstmParams>();
  const uint32_t unit_count = params.batch_count * params.step_count * params.state_size;
  while (context.unit() < unit_count) {
    const uint32_t unit = context.unit() % params.state_size;
    LstmStep step(context, params, context.unit() / params.state_size);
    OTA_TRY(step.ComputeUnit(unit));
    if (unit + 1 == params.state_size) step.Finish();
    const uint32_t macs = kGateCount * (params.input_size + params.state_size);
    if (context.FinishUnit(macs)) return Status::kBusy;
  }
  return Status::kOk;
}

}  // namespace

const Operator kUnidirectionalSequenceLstm = {
    static_cast<int32_t>(formats::OperatorCode::kUnidirectionalSequenceLstm), nullptr, PrepareLstm,
    RunLstm};

}  // namespace ota::engine
