// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/units.h"
#include "engine/kernels/conv_layout.h"
#include "engine/operators/convolution.h"
#include "engine/operators/patch_rules.h"
#include "engine/operators/quantization.h"
#include "engine/operators/weight_pages.h"
#include "engine/operators/weighted_operands.h"

namespace ota::engine {

using formats::FlatField;
using formats::FlatKind;
using formats::TensorInfo;
using formats::TensorType;

namespace {

using Operands = WeightedOperands;

constexpr uint32_t kTileChannelsMax = kTilesAreQuads - 1;

// TRANSPOSE_CONV has the output's shape, which the output tensor gives too, as operand 0.
uint32_t InputIndex(ConvKind kind) { return kind == ConvKind::kTransposed ? 2 : 0; }

uint32_t BiasIndex(ConvKind kind) { return kind == ConvKind::kTransposed ? 3 : 2; }

Status VerifyChannels(const Operands& operands, ConvKind kind, WindowShape& shape) {
  const TensorInfo& weights = operands.weights;
  const int32_t outputs = operands.output.dimension(3);
  const int32_t inputs = operands.input.dimension(3);
  const bool is_depthwise = kind == ConvKind::kDepthwise;
  if (weights.dimension(is_depthwise ? 3 : 0) != outputs) return Status::kUnsupportedShape;
  if (operands.has_bias && operands.bias.element_count != static_cast<uint32_t>(outputs)) {
    return Status::kUnsupportedShape;
  }
  if (is_depthwise) {
    shape.window_channels = 1;
    const bool fits = weights.dimension(0) == 1 && outputs % inputs == 0;
    return fits ? Status::kOk : Status::kUnsupportedShape;
  }
  const int32_t depth = weights.dimension(3);
  const bool is_grouped = depth != inputs;
  if (depth < 1 || inputs % depth != 0 || outputs % (inputs / depth) != 0 ||
      (is_grouped && kind == ConvKind::kTransposed)) {
    return Status::kUnsupportedShape;
  }
  shape.window_channels = static_cast<uint16_t>(depth);
  return Status::kOk;
}

Status FillQuantization(const Operands& operands, ConvKind kind, ConvParams& params) {
  params.type = operands.input.type;
  if (params.type == TensorType::kFloat32) return VerifyActivation(params.activation);
  const TensorInfo& weights = operands.weights;
  OTA_TRY(VerifyWeightedQuantization(
      operands, params.activation, kind == ConvKind::kDepthwise ? 3 : 0,
      static_cast<uint32_t>(operands.output.dimension(3)), params.limits));
  if (weights.scale_count > 1) params.scales_offset = weights.scales_offset;
  params.input_scale = operands.input.scale;
  params.weight_scale = weights.scale;
  params.output_scale = operands.output.scale;
  params.input_zero_point = static_cast<int16_t>(operands.input.zero_point);
  params.output_zero_point = static_cast<int16_t>(operands.output.zero_point);
  return Status::kOk;
}

uint32_t TermBytes(TensorType type) {
  if (type == TensorType::kInt8) return sizeof(ChannelTermS8);
  return type == TensorType::kInt16 ? sizeof(ChannelTermS16) : sizeof(ChannelTermF32);
}

uint32_t KernelScratchBytes(const ConvParams& params, ConvKind kind) {
  if (params.type != TensorType::kInt8 || kind == ConvKind::kTransposed) return 0;
  return kind == ConvKind::kFull ? ConvScratchBytesS8(params.shape)
                                 : DepthwiseScratchBytesS8(params.shape);
}

uint32_t SumBytes(TensorType type) { return type == TensorType::kInt16 ? 8 : 4; }

// Scratch of a convolution whose weights come in parts, `bytes` of constants in all.
void PlanParts(PrepareContext& context, uint32_t bytes, ConvParams& params) {
  params.tile_channels = kTilesAreParts;
  params.page_bytes = context.page_bytes() / 8 * 8;
  const ConvPartsPlan plan = PlanConvParts(params.shape, SumBytes(params.type), params.page_bytes);
  params.scratch = context.ScratchSlot(plan.sum_bytes + params.page_bytes);
  const uint32_t groups = (params.shape.output_height + plan.rows - 1) / plan.rows;
  const bool has_height = params.shape.output_height > 1;
  context.AddReads(bytes, groups * params.shape.batch_count, has_height ? plan.rows : 0);
}

// Output channels that the kernels of a type take at once.
uint32_t KernelTileChannels(const ConvParams& params, ConvKind kind) {
  if (params.type != TensorType::kInt8 || kind == ConvKind::kTransposed) {
    return params.shape.output_channels;
  }
  const uint32_t channels = kind == ConvKind::kFull ? ConvTileChannelsS8(params.shape)
                                                    : DepthwiseTileChannelsS8(params.shape);
  return std::min<uint32_t>(channels, params.shape.output_channels);
}

// A 1x1 convolution of several tiles does not see rows: as one long row it takes fewer calls.
void FlattenPixels(WindowShape& shape) {
  const bool is_plain =
      shape.window_height == 1 && shape.window_width == 1 && shape.stride_height == 1 &&
      shape.stride_width == 1 && shape.padding_top == 0 && shape.padding_left == 0 &&
      shape.input_height == shape.output_height && shape.input_width == shape.output_width;
  const uint32_t pixels = uint32_t{shape.output_height} * shape.output_width;
  const bool is_one_tile = ConvTileChannelsS8(shape) >= shape.output_channels;
  if (!is_plain || is_one_tile || pixels > UINT16_MAX) return;
  shape.input_height = shape.output_height = 1;
  shape.input_width = shape.output_width = static_cast<uint16_t>(pixels);
}

// Channels of a tile whose weights are streamed. Depthwise weights lie by tap, and are read at once
// if all of them fit; else in whole tiles of the kernel.
WeightPagePlan PlanPages(const PrepareContext& context, ConvKind kind, uint32_t channel_bytes,
                         uint32_t outputs, uint32_t kernel_tile) {
  if (kind != ConvKind::kDepthwise) return PlanWeightPages(context, channel_bytes, outputs);
  const uint32_t channels = std::clamp<uint32_t>(context.page_bytes() / channel_bytes, 1, outputs);
  const bool is_cut = channels < outputs && channels > kernel_tile;
  return {1, is_cut ? channels / kernel_tile * kernel_tile : channels};
}

bool IsInQuads(const PrepareContext& context, const ConvParams& params, ConvKind kind,
               uint32_t weight_bytes) {
  return !context.is_mapped() && kind == ConvKind::kFull && params.type == TensorType::kInt8 &&
         weight_bytes > context.page_bytes() && IsForChannelQuads(params.shape);
}

// Chooses the tile, asks for its scratch, and accounts for what is read.
Status PlanTiles(PrepareContext& context, const Operands& operands, ConvKind kind,
                 ConvParams& params) {
  const uint32_t outputs = params.shape.output_channels;
  const uint32_t weight_bytes = operands.weights.size_bytes;
  const uint32_t channel_bytes = weight_bytes / outputs;
  const uint32_t bias_bytes = operands.has_bias ? operands.bias.size_bytes : 0;
  const uint32_t scale_bytes = params.scales_offset != 0 ? outputs * 4 : 0;
  context.AddWeights(weight_bytes + bias_bytes);
  const bool is_mapped = context.is_mapped();
  if (IsInQuads(context, params, kind, weight_bytes)) {
    params.scratch = context.ScratchSlot(PlanConvQuads(context, params));
    context.AddReads(weight_bytes + bias_bytes + scale_bytes);
    return Status::kOk;
  }
  if (!is_mapped && kind == ConvKind::kFull && channel_bytes > context.page_bytes()) {
    PlanParts(context, weight_bytes + bias_bytes + scale_bytes, params);
    return Status::kOk;
  }
  const uint32_t kernel_tile = KernelTileChannels(params, kind);
  const WeightPagePlan pages = PlanPages(context, kind, channel_bytes, outputs, kernel_tile);
  const uint32_t tile =
      std::min<uint32_t>(is_mapped ? kernel_tile : pages.channels, kTileChannelsMax);
  params.tile_channels = static_cast<uint16_t>(tile);
  const uint32_t page = is_mapped ? 0 : WeightPageStride(tile * channel_bytes);
  params.page_bytes = pages.page_count > 1 ? tile * channel_bytes : 0;
  const uint32_t terms = RoundUp(tile * TermBytes(params.type), kTensorAlignment);
  params.scratch =
      context.ScratchSlot(terms + page * pages.page_count + KernelScratchBytes(params, kind));
  if (!is_mapped) context.AddReads(weight_bytes + bias_bytes + scale_bytes);
  const bool is_row_by_row = tile == outputs && kernel_tile == outputs;
  if (is_row_by_row && params.shape.batch_count == 1 && kind != ConvKind::kTransposed) {
    context.AllowOverlap(0, 0, ComputeRowOverlap(params.shape, formats::ElementBytes(params.type)));
  }
  return Status::kOk;
}

// The window of TRANSPOSE_CONV is that of the convolution that would lead back.
Status ComputeShape(const Operands& operands, ConvKind kind, const WindowOptions& options,
                    WindowShape& shape) {
  if (kind != ConvKind::kTransposed) {
    return ComputeWindowShape(operands.input, operands.output, options, shape);
  }
  OTA_TRY(ComputeWindowShape(operands.output, operands.input, options, shape));
  std::swap(shape.input_height, shape.output_height);
  std::swap(shape.input_width, shape.output_width);
  std::swap(shape.input_channels, shape.output_channels);
  return Status::kOk;
}

uint64_t CountMacs(const Operands& operands, ConvKind kind, const WindowShape& shape) {
  const uint64_t taps = uint64_t{shape.window_height} * shape.window_width;
  if (kind == ConvKind::kTransposed) {
    return operands.input.element_count * taps * shape.output_channels;
  }
  return operands.output.element_count * taps * shape.window_channels;
}

// The options differ in that DEPTHWISE_CONV_2D has a multiplier before the activation, and
// TRANSPOSE_CONV no dilation. The window is that of the weights.
constexpr FlatField kFullFields[] = {{0, FlatKind::kU8},
                                     {1, FlatKind::kI32},
                                     {2, FlatKind::kI32},
                                     {3, FlatKind::kU8},
                                     {4, FlatKind::kOneI32},
                                     {5, FlatKind::kOneI32},
                                     {formats::kAbsentSlot, FlatKind::kOne},
                                     {formats::kAbsentSlot, FlatKind::kOne},
                                     {}};
constexpr FlatField kDepthwiseFields[] = {{0, FlatKind::kU8},
                                          {1, FlatKind::kI32},
                                          {2, FlatKind::kI32},
                                          {4, FlatKind::kU8},
                                          {5, FlatKind::kOneI32},
                                          {6, FlatKind::kOneI32},
                                          {formats::kAbsentSlot, FlatKind::kOne},
                                          {formats::kAbsentSlot, FlatKind::kOne},
                                          {}};
constexpr FlatField kTransposedFields[] = {{0, FlatKind::kU8},
                                           {1, FlatKind::kI32},
                                           {2, FlatKind::kI32},
                                           {3, FlatKind::kU8},
                                           {formats::kAbsentSlot, FlatKind::kOne},
                                           {formats::kAbsentSlot, FlatKind::kOne},
                                           {formats::kAbsentSlot, FlatKind::kOne},
                                           {formats::kAbsentSlot, FlatKind::kOne},
                                           {}};
static_assert(formats::CountWords(kFullFields) * 4 == sizeof(WindowOptions));
static_assert(formats::CountWords(kDepthwiseFields) * 4 == sizeof(WindowOptions));
static_assert(formats::CountWords(kTransposedFields) * 4 == sizeof(WindowOptions));

const FlatField* OptionFields(ConvKind kind) {
  if (kind == ConvKind::kFull) return kFullFields;
  return kind == ConvKind::kDepthwise ? kDepthwiseFields : kTransposedFields;
}

}  // namespace

Status PrepareConvolution(PrepareContext& context, ConvKind kind) {
  Operands operands;
  OTA_TRY(ReadWeightedOperands(context, InputIndex(kind), BiasIndex(kind), operands));
  if (operands.weights.rank != 4) return Status::kUnsupportedShape;
  WindowOptions options;
  ReadWindowOptions(context, OptionFields(kind), options);
  options.window_height = operands.weights.dimension(1);
  options.window_width = operands.weights.dimension(2);
  ConvParams params{};
  params.activation = static_cast<uint8_t>(options.activation);
  OTA_TRY(ComputeShape(operands, kind, options, params.shape));
  OTA_TRY(VerifyChannels(operands, kind, params.shape));
  OTA_TRY(FillQuantization(operands, kind, params));
  params.weights_offset = operands.weights.constant_offset;
  params.bias_offset = operands.has_bias ? operands.bias.constant_offset : 0;
  params.input = context.InputSlot(operands.input);
  params.output = context.OutputSlot(operands.output);
  if (params.type == TensorType::kInt8 && kind == ConvKind::kFull) FlattenPixels(params.shape);
  OTA_TRY(PlanTiles(context, operands, kind, params));
  context.AddMacs(CountMacs(operands, kind, params.shape));
  return context.Commit(params, kConvSlotCount);
}

void AllowConvolutionRows(ChainBuilder& chains, PrepareContext& context, const void* params) {
  AllowWindowRows(chains, context, static_cast<const ConvParams*>(params)->shape);
}

void SelectConvolutionRows(void* params, const PatchRows& rows) {
  SelectWindowRows(static_cast<ConvParams*>(params)->shape, rows);
}

}  // namespace ota::engine
