// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <type_traits>

#include "engine/kernels/dense.h"
#include "engine/operators/operators.h"
#include "engine/operators/quantization.h"
#include "engine/operators/weight_pages.h"
#include "engine/operators/weighted_operands.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kBlockChannels = 32;
constexpr int32_t kSizeMax = 0xFFFF;

struct FullyConnectedParams {
  Slot input;
  Slot output;
  Slot page;  ///< weights of `page_channels`, twice if read ahead, or a part of one if that is 0;
              ///< none when mapped
  uint32_t weights_offset;
  uint32_t bias_offset;  ///< 0: no bias
  int32_t multiplier;
  uint16_t depth;
  uint16_t outputs;
  uint16_t batches;
  uint16_t page_channels;
  uint16_t part_elements;  ///< weights of a part
  QuantizedLimits limits;
  int8_t input_zero_point;
  int8_t output_zero_point;
  int8_t shift;
  TensorType type;
  bool is_per_channel : 1;
  bool is_read_ahead : 1;
  uint8_t activation;
};
static_assert(sizeof(FullyConnectedParams) == 44);

/// Follows the parameters if there is a scale per channel.
struct ChannelScales {
  uint32_t scales_offset;
  float input_scale;
  float output_scale;
};
struct FullyConnectedRecord {
  FullyConnectedParams params;
  ChannelScales scales;
};
constexpr uint32_t kSlotCount = 3;

using Operands = WeightedOperands;

Status FillShape(const Operands& operands, FullyConnectedParams& params) {
  if (operands.weights.rank != 2) return Status::kUnsupportedShape;
  const int32_t outputs = operands.weights.dimension(0);
  const int32_t depth = operands.weights.dimension(1);
  if (outputs < 1 || outputs > kSizeMax || depth < 1 || depth > kSizeMax) {
    return Status::kUnsupportedShape;
  }
  const uint32_t batches = operands.input.element_count / static_cast<uint32_t>(depth);
  const bool fits =
      batches >= 1 && batches <= static_cast<uint32_t>(kSizeMax) &&
      batches * static_cast<uint32_t>(depth) == operands.input.element_count &&
      uint64_t{batches} * static_cast<uint32_t>(outputs) == operands.output.element_count &&
      (!operands.has_bias || operands.bias.element_count == static_cast<uint32_t>(outputs));
  if (!fits) return Status::kUnsupportedShape;
  params.depth = static_cast<uint16_t>(depth);
  params.outputs = static_cast<uint16_t>(outputs);
  params.batches = static_cast<uint16_t>(batches);
  return Status::kOk;
}

Status FillQuantization(const Operands& operands, FullyConnectedRecord& record) {
  FullyConnectedParams& params = record.params;
  params.type = operands.input.type;
  if (params.type == TensorType::kFloat32) return VerifyActivation(params.activation);
  const TensorInfo& weights = operands.weights;
  OTA_TRY(
      VerifyWeightedQuantization(operands, params.activation, 0, params.outputs, params.limits));
  params.input_zero_point = static_cast<int8_t>(operands.input.zero_point);
  params.output_zero_point = static_cast<int8_t>(operands.output.zero_point);
  params.is_per_channel = weights.scale_count > 1;
  if (params.is_per_channel) {
    record.scales = {weights.scales_offset, operands.input.scale, operands.output.scale};
    return Status::kOk;
  }
  // One scale: the product with the input's is taken in float32.
  const float product = operands.input.scale * weights.scale;
  const Multiplier multiplier = ComputeMultiplier(product, 1.0f, operands.output.scale);
  params.multiplier = multiplier.value;
  params.shift = static_cast<int8_t>(std::min(multiplier.shift, 127));
  return Status::kOk;
}

// Pages hold whole channels, in blocks if several fit; a part of one if not even that fits.
void PlanPage(PrepareContext& context, const Operands& operands, FullyConnectedParams& params) {
  const uint32_t constants =
      operands.weights.size_bytes + (operands.has_bias ? operands.bias.size_bytes : 0);
  context.AddWeights(constants);
  params.page = kNoSlot;
  params.page_channels = params.outputs;
  if (context.is_mapped()) return;
  const uint32_t channel_bytes = operands.weights.size_bytes / params.outputs;
  const uint32_t element_bytes = channel_bytes / params.depth;
  params.part_elements =
      static_cast<uint16_t>(std::min<uint32_t>(context.page_bytes() / element_bytes, kSizeMax));
  const bool is_in_parts = channel_bytes > context.page_bytes();
  WeightPagePlan pages = PlanWeightPages(context, channel_bytes, params.outputs);
  const bool is_cut = pages.channels < params.outputs && pages.channels > kBlockChannels;
  if (is_cut) pages.channels -= pages.channels % kBlockChannels;
  params.page_channels = static_cast<uint16_t>(is_in_parts ? 0 : pages.channels);
  params.is_read_ahead = pages.page_count > 1;
  params.page = context.ScratchSlot(
      is_in_parts ? params.part_elements * element_bytes
                  : pages.page_count * WeightPageStride(pages.channels * channel_bytes));
  context.AddReads(operands.weights.size_bytes, is_in_parts ? params.batches : 1);
  context.AddReads(constants - operands.weights.size_bytes +
                   (params.is_per_channel ? params.outputs * 4u : 0));
}

template <typename Types>
class FullyConnectedRun {
  using Value = typename Types::Activation;
  static constexpr uint32_t kWeightBytes = sizeof(typename Types::Weight);
  static constexpr uint32_t kBiasBytes = sizeof(Types::Term::bias);

 public:
  explicit FullyConnectedRun(RunContext& context)
      : context_(context), params_(context.params<FullyConnectedParams>()) {
    FloatLimits floats = {};
    if constexpr (std::is_same_v<Types, ConvF32>) floats = ComputeFloatLimits(params_.activation);
    multipliers_[0] = {params_.multiplier, params_.shift};
    rows_.range = {params_.input_zero_point,
                   params_.output_zero_point,
                   params_.limits.lowest,
                   params_.limits.highest,
                   floats.lowest,
                   floats.highest};
    rows_.rounding = context.rounding();
    rows_.input = context.DataAs<Value>(params_.input);
    rows_.multipliers = multipliers_;
    rows_.multiplier_step = params_.is_per_channel ? 1 : 0;
    rows_.depth = params_.depth;
    rows_.pixel_count = params_.batches;
    rows_.output_step = params_.outputs;
  }

  // A unit is a block of channels.
  Status Run() {
    const uint32_t block = std::clamp<uint32_t>(params_.page_channels, 1, kBlockChannels);
    const uint32_t block_macs = uint32_t{params_.depth} * params_.batches * block;
    const bool is_free = context_.is_mapped() && !params_.is_per_channel;
    while (context_.unit() * block < params_.outputs) {
      const uint32_t first = context_.unit() * block;
      const uint32_t blocks_left = (params_.outputs - first + block - 1) / block;
      const uint32_t blocks =
          is_free ? std::clamp(context_.remaining_budget() / block_macs, 1u, blocks_left) : 1;
      rows_.channel_count = std::min<uint32_t>(blocks * block, params_.outputs - first);
      rows_.output = context_.DataAs<Value>(params_.output) + first;
      if (params_.page_channels != 0) OTA_TRY(SelectWeights(first));
      OTA_TRY(FetchTerms(first));
      if (params_.page_channels != 0) {
        RunBlocks();
      } else {
        OTA_TRY(RunInParts(first));
      }
      if (context_.FinishUnits(blocks, block_macs * blocks)) return Status::kBusy;
    }
    return Status::kOk;
  }

 private:
  Status FetchTerms(uint32_t first) {
    if (params_.bias_offset != 0) {
      rows_.biases = biases_;
      OTA_TRY(context_.FetchConstant(params_.bias_offset + first * kBiasBytes,
                                     rows_.channel_count * kBiasBytes, rows_.biases));
    }
    if (!params_.is_per_channel) return Status::kOk;
    const ChannelScales& scales = context_.params<FullyConnectedRecord>().scales;
    uint8_t chunk[kBlockChannels * 4];
    const uint8_t* at = chunk;
    OTA_TRY(context_.FetchConstant(scales.scales_offset + first * 4, rows_.channel_count * 4, at));
    for (uint32_t i = 0; i < rows_.channel_count; ++i) {
      multipliers_[i] = ComputeChannelMultiplier(
          scales.input_scale, std::bit_cast<float>(LoadLe32(at + i * 4)), scales.output_scale);
    }
    return Status::kOk;
  }

  Status SelectWeights(uint32_t first) {
    const uint32_t channel_bytes = params_.depth * kWeightBytes;
    if (context_.is_mapped()) {
      return context_.FetchConstant(params_.weights_offset + first * channel_bytes, 0,
                                    rows_.weights);
    }
    WeightPages pages(context_,
                      {params_.weights_offset, params_.outputs * channel_bytes,
                       params_.page_channels * channel_bytes, params_.is_read_ahead},
                      context_.Data(params_.page));
    const uint32_t page = first / params_.page_channels;
    const uint32_t in_page = first % params_.page_channels;
    if (in_page == 0) OTA_TRY(pages.Select(page));
    rows_.weights = pages.page(page) + in_page * channel_bytes;
    return Status::kOk;
  }

  void RunBlocks() {
    if constexpr (std::is_same_v<Types, ConvS8>) {
      FullyConnectedS8(rows_);
    } else {
      ReferenceDenseRows(rows_);
    }
  }

  // One channel, whose weights come in parts.
  Status RunInParts(uint32_t channel) {
    uint8_t* const page = context_.Data(params_.page);
    const uint32_t part_max = params_.part_elements;
    const uint32_t file_offset = params_.weights_offset + channel * params_.depth * kWeightBytes;
    for (uint32_t batch = 0; batch < params_.batches; ++batch) {
      typename Types::Accumulator sum = 0;
      for (uint32_t first = 0; first < params_.depth; first += part_max) {
        const uint32_t count = std::min<uint32_t>(part_max, params_.depth - first);
        const uint8_t* weights = page;
        OTA_TRY(context_.FetchConstant(file_offset + first * kWeightBytes, count * kWeightBytes,
                                       weights));
        sum = ReferenceAccumulate<Types>(sum, rows_.input + batch * params_.depth + first, page,
                                         count, rows_.range);
      }
      rows_.output[batch * params_.outputs] = FinishDense(sum, 0, rows_);
    }
    return Status::kOk;
  }

  RunContext& context_;
  const FullyConnectedParams& params_;
  DenseRows<Types> rows_{};
  Multiplier multipliers_[kBlockChannels];
  uint8_t biases_[kBlockChannels * kBiasBytes];
};

Status PrepareFullyConnected(PrepareContext& context) {
  Operands operands;
  OTA_TRY(ReadWeightedOperands(context, 0, 2, operands));
  if (context.OptionU8(1) != 0) return Status::kUnsupportedType;
  FullyConnectedRecord record{};
  FullyConnectedParams& params = record.params;
  params.activation = context.OptionU8(0);
  OTA_TRY(FillShape(operands, params));
  OTA_TRY(FillQuantization(operands, record));
  params.weights_offset = operands.weights.constant_offset;
  params.bias_offset = operands.has_bias ? operands.bias.constant_offset : 0;
  params.input = context.InputSlot(operands.input);
  params.output = context.OutputSlot(operands.output);
  PlanPage(context, operands, params);
  context.AddMacs(uint64_t{operands.output.element_count} * params.depth);
  return params.is_per_channel ? context.Commit(record, kSlotCount)
                               : context.Commit(params, kSlotCount);
}

Status RunFullyConnectedInt8(RunContext& context) {
  return FullyConnectedRun<ConvS8>(context).Run();
}

Status RunFullyConnected(RunContext& context) {
  switch (context.params<FullyConnectedParams>().type) {
    case TensorType::kInt8:
      return RunFullyConnectedInt8(context);
    case TensorType::kInt16:
      return FullyConnectedRun<ConvS16>(context).Run();
    default:
      return FullyConnectedRun<ConvF32>(context).Run();
  }
}

}  // namespace

const Operator kFullyConnected = {static_cast<int32_t>(formats::OperatorCode::kFullyConnected),
                                  nullptr, PrepareFullyConnected, RunFullyConnected};
const Operator kFullyConnectedInt8 = {static_cast<int32_t>(formats::OperatorCode::kFullyConnected),
                                      nullptr, PrepareFullyConnected, RunFullyConnectedInt8, true};

}  // namespace ota::engine
