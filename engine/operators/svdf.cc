// SPDX-License-Identifier: Apache-2.0
// SVDF: a filter over features, then one over time on its last results, which are state; each
// output sums the filters of a rank. Result of TensorFlow Lite Micro's svdf_common.cc: sums wrap.
#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/kernels/requantize.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/streamed_row.h"
#include "formats/tflite/schema.h"

namespace ota::engine {
namespace {

using formats::TensorInfo;
using formats::TensorType;

constexpr uint32_t kRankOption = 0;

struct SvdfParams {
  Slot input;
  Slot bias;  ///< may be left out
  Slot state;
  Slot output;
  Slot page;
  uint32_t page_bytes;
  StreamedMatrix feature_weights;
  StreamedMatrix time_weights;
  Multiplier feature_multiplier;
  Multiplier output_multiplier;
  int32_t input_zero_point;
  int32_t state_zero_point;
  int32_t output_zero_point;
  uint32_t batch_count;
  uint32_t unit_count;
  uint32_t rank;
  uint32_t input_size;
  uint32_t memory_size;
  uint32_t state_bytes;  ///< of an element
};

struct SvdfTensors {
  TensorInfo input;
  TensorInfo feature_weights;
  TensorInfo time_weights;
  TensorInfo state;
  TensorInfo output;
};

Result<SvdfTensors> ReadTensors(PrepareContext& context) {
  SvdfTensors tensors;
  OTA_TRY(tensors.input, context.ReadInput(0));
  OTA_TRY(tensors.feature_weights, context.ReadInput(1));
  OTA_TRY(tensors.time_weights, context.ReadInput(2));
  OTA_TRY(tensors.state, context.ReadInput(4));
  OTA_TRY(tensors.output, context.ReadOutput(0));
  const bool are_types_right =
      tensors.input.type == TensorType::kInt8 && tensors.output.type == TensorType::kInt8 &&
      tensors.feature_weights.type == TensorType::kInt8 &&
      (tensors.state.type == TensorType::kInt8 || tensors.state.type == TensorType::kInt16) &&
      tensors.time_weights.type == tensors.state.type;
  if (!are_types_right) return Status::kUnsupportedType;
  for (const TensorInfo* tensor : {&tensors.input, &tensors.state, &tensors.output,
                                   &tensors.feature_weights, &tensors.time_weights}) {
    OTA_TRY(VerifyQuantized(*tensor));
    if (tensor->rank != 2) return Status::kUnsupportedShape;
  }
  if (!tensors.state.is_variable) return Status::kModelMalformed;
  return tensors;
}

Status SetShape(const SvdfTensors& tensors, int32_t rank, SvdfParams& params) {
  const auto filters = static_cast<uint32_t>(tensors.feature_weights.dimension(0));
  if (rank <= 0 || filters == 0 || filters % static_cast<uint32_t>(rank) != 0) {
    return Status::kUnsupportedShape;
  }
  params.rank = static_cast<uint32_t>(rank);
  params.unit_count = filters / params.rank;
  params.batch_count = static_cast<uint32_t>(tensors.input.dimension(0));
  params.input_size = static_cast<uint32_t>(tensors.input.dimension(1));
  params.memory_size = static_cast<uint32_t>(tensors.time_weights.dimension(1));
  params.state_bytes = formats::ElementBytes(tensors.state.type);
  if (params.memory_size == 0 || params.input_size == 0) return Status::kUnsupportedShape;
  OTA_TRY(params.feature_weights,
          DescribeMatrix(tensors.feature_weights, filters, params.input_size));
  OTA_TRY(params.time_weights, DescribeMatrix(tensors.time_weights, filters, params.memory_size));
  const uint64_t state_elements = uint64_t{params.batch_count} * filters * params.memory_size;
  const uint64_t output_elements = uint64_t{params.batch_count} * params.unit_count;
  const bool do_sizes_agree = tensors.state.element_count == state_elements &&
                              tensors.output.element_count == output_elements;
  return do_sizes_agree ? Status::kOk : Status::kUnsupportedShape;
}

void SetQuantization(const SvdfTensors& tensors, SvdfParams& params) {
  // The quotients are float32, as in the reference.
  const float feature = tensors.input.scale * tensors.feature_weights.scale / tensors.state.scale;
  const float output = tensors.state.scale * tensors.time_weights.scale / tensors.output.scale;
  params.feature_multiplier = QuantizeMultiplier(ExactReal::FromFloat(feature));
  params.output_multiplier = QuantizeMultiplier(ExactReal::FromFloat(output));
  params.input_zero_point = tensors.input.zero_point;
  params.state_zero_point = tensors.state.zero_point;
  params.output_zero_point = tensors.output.zero_point;
}

Status PrepareSvdf(PrepareContext& context) {
  OTA_TRY(const SvdfTensors tensors, ReadTensors(context));
  SvdfParams params{};
  OTA_TRY(SetShape(tensors, context.OptionI32(kRankOption), params));
  SetQuantization(tensors, params);
  if (context.HasInput(3)) {
    OTA_TRY(const TensorInfo& bias, context.ReadInput(3));
    if (bias.type != TensorType::kInt32) return Status::kUnsupportedType;
    if (bias.element_count != params.unit_count) return Status::kUnsupportedShape;
  }
  params.input = context.InputSlot(0);
  params.bias = context.HasInput(3) ? context.InputSlot(3) : kNoSlot;
  params.state = context.VariableSlot(4);
  params.output = context.OutputSlot(0);
  const uint32_t row_bytes =
      std::max(params.feature_weights.row_bytes, params.time_weights.row_bytes);
  params.page_bytes = RowPageBytes(context, row_bytes);
  params.page = context.ScratchSlot(params.page_bytes);
  const uint32_t weight_bytes =
      tensors.feature_weights.size_bytes + tensors.time_weights.size_bytes;
  context.AddWeights(weight_bytes);
  context.AddMacs(uint64_t{params.batch_count} *
                  (tensors.feature_weights.element_count + tensors.time_weights.element_count));
  if (!context.is_mapped()) context.AddReads(weight_bytes, params.batch_count);
  return context.Commit(params, 5);
}

template <typename State>
class SvdfRun {
 public:
  SvdfRun(RunContext& context, const SvdfParams& params) : context_(context), params_(params) {}

  /// Sum over the rank of one output unit, its bias not counted.
  Result<int32_t> ComputeUnit(uint32_t batch, uint32_t unit) {
    uint32_t sum = 0;
    for (uint32_t filter = unit * params_.rank; filter < (unit + 1) * params_.rank; ++filter) {
      State* const memory = MemoryOf(batch, filter);
      OTA_TRY(AdvanceMemory(batch, filter, memory));
      OTA_TRY(const uint32_t part, SumOverTime(filter, memory));
      sum += part;
    }
    return static_cast<int32_t>(sum);
  }

 private:
  State* MemoryOf(uint32_t batch, uint32_t filter) const {
    const uint32_t filters = params_.unit_count * params_.rank;
    return context_.DataAs<State>(params_.state) + (batch * filters + filter) * params_.memory_size;
  }

  Status AdvanceMemory(uint32_t batch, uint32_t filter, State* memory) {
    const int8_t* const input = context_.DataAs<int8_t>(params_.input) + batch * params_.input_size;
    OTA_TRY(const int32_t sum, DotRowS8(context_, params_.feature_weights, filter, input,
                                        params_.input_zero_point, Page(), params_.page_bytes));
    std::memmove(memory, memory + 1, (params_.memory_size - 1) * sizeof(State));
    const int32_t feature = Requantize(sum, params_.feature_multiplier, context_.rounding());
    const int32_t clamped = std::clamp<int32_t>(feature, std::numeric_limits<State>::min(),
                                                std::numeric_limits<State>::max());
    memory[params_.memory_size - 1] = static_cast<State>(params_.state_zero_point + clamped);
    return Status::kOk;
  }

  Result<uint32_t> SumOverTime(uint32_t filter, const State* memory) {
    uint32_t sum = 0;
    OTA_TRY(ForEachPieceOfRow(
        context_, params_.time_weights, filter, sizeof(State), Page(), params_.page_bytes,
        [&](const uint8_t* bytes, uint32_t first, uint32_t count) {
          for (uint32_t i = 0; i < count; ++i) {
            sum += static_cast<uint32_t>(LoadWeight(bytes, i) *
                                         (memory[first + i] - params_.state_zero_point));
          }
        }));
    return sum;
  }

  static int32_t LoadWeight(const uint8_t* bytes, uint32_t index) {
    if constexpr (sizeof(State) == 1) {
      return static_cast<int8_t>(bytes[index]);
    } else {
      return static_cast<int16_t>(LoadLe16(bytes + 2 * index));
    }
  }

  uint8_t* Page() const { return context_.Data(params_.page); }

  RunContext& context_;
  const SvdfParams& params_;
};

template <typename State>
Status RunUnits(RunContext& context, const SvdfParams& params) {
  SvdfRun<State> run(context, params);
  const auto* const bias = context.DataAs<int32_t>(params.bias);
  while (context.unit() < params.batch_count * params.unit_count) {
    const uint32_t unit = context.unit() % params.unit_count;
    OTA_TRY(const int32_t sum, run.ComputeUnit(context.unit() / params.unit_count, unit));
    const int32_t biased = bias == nullptr ? sum : WrappingAdd(sum, bias[unit]);
    const int32_t result = WrappingAdd(
        Requantize(biased, params.output_multiplier, context.rounding()), params.output_zero_point);
    context.DataAs<int8_t>(params.output)[context.unit()] =
        static_cast<int8_t>(std::clamp<int32_t>(result, INT8_MIN, INT8_MAX));
    const uint32_t macs = params.rank * (params.input_size + params.memory_size);
    if (context.FinishUnit(macs)) return Status::kBusy;
  }
  return Status::kOk;
}

Status RunSvdf(RunContext& context) {
  const auto& params = context.params<SvdfParams>();
  return params.state_bytes == 1 ? RunUnits<int8_t>(context, params)
                                 : RunUnits<int16_t>(context, params);
}

}  // namespace

const Operator kSvdf = {static_cast<int32_t>(formats::OperatorCode::kSvdf), nullptr, PrepareSvdf,
                        RunSvdf};

}  // namespace ota::engine
