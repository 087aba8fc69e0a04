// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "engine/chain.h"
#include "engine/chain_builder.h"
#include "engine/operators/operators.h"
#include "engine/operators/patch_rules.h"
#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kPadRankMax = 5;

struct PadParams {
  Slot input;
  Slot output;
  Slot value;                         ///< of PADV2; else none
  uint32_t input_sizes[kPadRankMax];  ///< from the front; 1 where there is no dimension
  uint32_t output_sizes[kPadRankMax];
  uint32_t before[kPadRankMax];
  uint8_t fill[4];  ///< one element
  uint8_t element_bytes;
  uint8_t unused[3];
};
constexpr uint32_t kSlotCount = 3;

Status FillSizes(PrepareContext& context, const TensorInfo& input, const TensorInfo& output,
                 PadParams& params) {
  OTA_TRY(const TensorInfo& paddings, context.ReadInput(1));
  if (!paddings.is_constant) return Status::kNotConstant;
  const bool fits = input.rank <= kPadRankMax && output.rank == input.rank &&
                    paddings.element_count == 2u * input.rank && output.element_count != 0;
  if (!fits) return Status::kUnsupportedShape;
  const uint32_t skip = kPadRankMax - input.rank;
  for (uint32_t i = 0; i < skip; ++i) params.input_sizes[i] = params.output_sizes[i] = 1;
  for (uint32_t i = 0; i < input.rank; ++i) {
    OTA_TRY(const int32_t before, context.ReadConstantI32(paddings, 2 * i));
    OTA_TRY(const int32_t after, context.ReadConstantI32(paddings, 2 * i + 1));
    const int64_t sum = int64_t{before} + after + input.dimension(i);
    if (before < 0 || after < 0 || sum != output.dimension(i)) return Status::kUnsupportedShape;
    params.input_sizes[skip + i] = static_cast<uint32_t>(input.dimension(i));
    params.output_sizes[skip + i] = static_cast<uint32_t>(output.dimension(i));
    params.before[skip + i] = static_cast<uint32_t>(before);
  }
  return Status::kOk;
}

// PAD fills with the real value 0.
Status FillValue(const TensorInfo& output, PadParams& params) {
  const bool is_quantized = output.type == TensorType::kInt8 || output.type == TensorType::kUint8 ||
                            output.type == TensorType::kInt16;
  const auto zero = static_cast<uint32_t>(is_quantized ? output.zero_point : 0);
  for (uint32_t i = 0; i < 4; ++i) params.fill[i] = static_cast<uint8_t>(zero >> (8 * i));
  return Status::kOk;
}

// The dimension of which the output's rows are, or 0.
uint32_t FindRowDimension(const PadParams& params) {
  for (uint32_t i = 0; i < kPadRankMax; ++i) {
    if (params.output_sizes[i] != 1) return i;
  }
  return 0;
}

Status PreparePad(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (input.type != output.type) return Status::kUnsupportedType;
  PadParams params{};
  params.element_bytes = static_cast<uint8_t>(formats::ElementBytes(output.type));
  if (params.element_bytes < 1 || params.element_bytes > 4) return Status::kUnsupportedType;
  if (input.scale != output.scale || input.zero_point != output.zero_point) {
    return Status::kUnsupportedQuantization;
  }
  OTA_TRY(FillSizes(context, input, output, params));
  OTA_TRY(FillValue(output, params));
  params.value = kNoSlot;
  if (context.HasInput(2)) {
    OTA_TRY(const TensorInfo& value, context.ReadInput(2));
    if (value.type != output.type || value.element_count != 1) return Status::kUnsupportedType;
    params.value = context.InputSlot(2);
  }
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  context.AllowOverlap(0, 0, output.size_bytes - input.size_bytes);
  return context.Commit(params, kSlotCount);
}

class PadRows {
 public:
  PadRows(RunContext& context, const PadParams& params)
      : params_(params),
        input_(context.Data(params.input)),
        output_(context.Data(params.output)),
        fill_(params.value == kNoSlot ? params.fill : context.Data(params.value)) {}

  void Run(uint32_t row) const {
    constexpr uint32_t kLast = kPadRankMax - 1;
    const uint32_t output_count = params_.output_sizes[kLast];
    uint8_t* const output = output_ + row * output_count * params_.element_bytes;
    const int64_t input_row = FindInputRow(row);
    if (input_row < 0) return Fill(output, output_count);
    const uint32_t before = params_.before[kLast];
    const uint32_t count = params_.input_sizes[kLast];
    // The input may lie just behind the place it moves to: first move, then fill around it.
    std::memmove(output + before * params_.element_bytes,
                 input_ + static_cast<uint32_t>(input_row) * count * params_.element_bytes,
                 count * params_.element_bytes);
    Fill(output, before);
    Fill(output + (before + count) * params_.element_bytes, output_count - before - count);
  }

 private:
  // Row of the input that goes into a row of the output; -1 if it is padding.
  int64_t FindInputRow(uint32_t row) const {
    uint32_t result = 0;
    uint32_t stride = 1;
    for (uint32_t i = kPadRankMax - 1; i-- > 0;) {
      const uint32_t position = row % params_.output_sizes[i];
      row /= params_.output_sizes[i];
      if (position < params_.before[i]) return -1;
      if (position - params_.before[i] >= params_.input_sizes[i]) return -1;
      result += (position - params_.before[i]) * stride;
      stride *= params_.input_sizes[i];
    }
    return result;
  }

  void Fill(uint8_t* at, uint32_t count) const {
    if (params_.element_bytes == 1) {
      std::memset(at, fill_[0], count);
      return;
    }
    for (uint32_t i = 0; i < count; ++i) {
      std::memcpy(at + i * params_.element_bytes, fill_, params_.element_bytes);
    }
  }

  const PadParams& params_;
  const uint8_t* input_;
  uint8_t* output_;
  const uint8_t* fill_;
};

Status RunPad(RunContext& context) {
  const auto& params = context.params<PadParams>();
  const PadRows rows(context, params);
  uint32_t count = 1;
  for (uint32_t i = 0; i + 1 < kPadRankMax; ++i) count *= params.output_sizes[i];
  while (context.unit() < count) {
    rows.Run(context.unit());
    if (context.FinishUnit(params.output_sizes[kPadRankMax - 1] / 4)) return Status::kBusy;
  }
  return Status::kOk;
}

}  // namespace

void AllowPadRows(ChainBuilder& chains, PrepareContext& context, const void* params) {
  const auto& pad = *static_cast<const PadParams*>(params);
  const uint32_t at = FindRowDimension(pad);
  if (pad.input_sizes[at] <= 1 || pad.value != kNoSlot) return;
  chains.AllowRows(context, 0, 0, {1, 1, static_cast<uint16_t>(pad.before[at])});
}

void SelectPadRows(void* params, const PatchRows& rows) {
  auto& pad = *static_cast<PadParams*>(params);
  const uint32_t at = FindRowDimension(pad);
  pad.before[at] -= std::min(pad.before[at], rows.output.begin);
  pad.input_sizes[at] = rows.input.size();
  pad.output_sizes[at] = rows.output.size();
}

const Operator kPad = {static_cast<int32_t>(formats::OperatorCode::kPad), nullptr, PreparePad,
                       RunPad};
const Operator kPadV2 = {static_cast<int32_t>(formats::OperatorCode::kPadV2), nullptr, PreparePad,
                         RunPad};

}  // namespace ota::engine
