// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/parts.h"

#include <cstring>

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kPartsMax = 32;

struct PartsHeader {
  uint32_t outer_count;
  uint32_t whole_block_bytes;
};

// The record: slot of the whole, slots of the parts, the header, then each part's block bytes.
constexpr uint32_t kRecordWordsMax = 1 + kPartsMax + 2 + kPartsMax;

struct PartsView {
  const uint32_t* words;
  uint32_t part_count;

  const PartsHeader& header() const {
    return *reinterpret_cast<const PartsHeader*>(words + 1 + part_count);
  }
  Slot whole() const { return words[0]; }
  Slot part(uint32_t index) const { return words[1 + index]; }
  uint32_t block_bytes(uint32_t index) const { return words[3 + part_count + index]; }
};

bool IsQuantizedAlike(const TensorInfo& part, const TensorInfo& whole) {
  const bool is_quantized = whole.type == TensorType::kInt8 || whole.type == TensorType::kInt16 ||
                            whole.type == TensorType::kUint8;
  if (!is_quantized) return true;
  return part.scale == whole.scale && part.zero_point == whole.zero_point;
}

Status FillPart(const TensorInfo& part, const TensorInfo& whole, uint32_t outer_count,
                uint32_t& block_bytes) {
  if (part.type != whole.type) return Status::kUnsupportedType;
  if (!IsQuantizedAlike(part, whole)) return Status::kUnsupportedQuantization;
  if (outer_count == 0 || part.size_bytes % outer_count != 0) return Status::kUnsupportedShape;
  block_bytes = part.size_bytes / outer_count;
  return Status::kOk;
}

Status RunParts(RunContext& context, PartsDirection direction) {
  const auto* const words = &context.params<uint32_t>();
  const PartsView view{words, context.slot_count() - 1};
  const PartsHeader& header = view.header();
  while (context.unit() < header.outer_count) {
    uint8_t* whole = context.Data(view.whole()) + context.unit() * header.whole_block_bytes;
    for (uint32_t i = 0; i < view.part_count; ++i) {
      const uint32_t bytes = view.block_bytes(i);
      uint8_t* const part = context.Data(view.part(i)) + context.unit() * bytes;
      direction == PartsDirection::kJoin ? std::memcpy(whole, part, bytes)
                                         : std::memcpy(part, whole, bytes);
      whole += bytes;
    }
    if (context.FinishUnit(header.whole_block_bytes)) return Status::kBusy;
  }
  return Status::kOk;
}

}  // namespace

Result<uint32_t> CountBefore(const TensorInfo& tensor, int32_t axis, uint32_t rank) {
  if (axis < 0) axis += static_cast<int32_t>(rank);
  if (axis < 0 || axis >= static_cast<int32_t>(rank)) return Status::kUnsupportedShape;
  uint32_t count = 1;
  for (uint32_t i = 0; i < static_cast<uint32_t>(axis) && i < tensor.rank; ++i) {
    count *= static_cast<uint32_t>(tensor.dimension(i));
  }
  return count;
}

Status PrepareParts(PrepareContext& context, PartsDirection direction, uint32_t whole_index,
                    uint32_t outer_count) {
  const bool is_join = direction == PartsDirection::kJoin;
  const uint32_t count = is_join ? context.input_count() : context.output_count();
  if (count == 0 || count > kPartsMax) return Status::kUnsupportedShape;
  OTA_TRY(const TensorInfo whole,
          is_join ? context.ReadOutput(whole_index) : context.ReadInput(whole_index));
  if (outer_count == 0 || whole.size_bytes % outer_count != 0) return Status::kUnsupportedShape;
  uint32_t words[kRecordWordsMax] = {};
  uint32_t* const blocks = words + 1 + count + 2;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < count; ++i) {
    OTA_TRY(const TensorInfo part, is_join ? context.ReadInput(i) : context.ReadOutput(i));
    OTA_TRY(FillPart(part, whole, outer_count, blocks[i]));
    sum += blocks[i];
  }
  const PartsHeader header{outer_count, whole.size_bytes / outer_count};
  if (sum != header.whole_block_bytes) return Status::kUnsupportedShape;
  std::memcpy(words + 1 + count, &header, sizeof(header));
  words[0] = is_join ? context.OutputSlot(whole_index) : context.InputSlot(whole_index);
  for (uint32_t i = 0; i < count; ++i) {
    words[1 + i] = is_join ? context.InputSlot(i) : context.OutputSlot(i);
  }
  return context.CommitBytes(words, (3 + 2 * count) * 4, 1 + count);
}

Status RunJoin(RunContext& context) { return RunParts(context, PartsDirection::kJoin); }
Status RunDivide(RunContext& context) { return RunParts(context, PartsDirection::kDivide); }

}  // namespace ota::engine
