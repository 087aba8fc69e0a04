// SPDX-License-Identifier: Apache-2.0
#include "engine/prepare_context.h"

#include "engine/model_planner.h"

namespace ota::engine {

using formats::FlatVector;
using formats::TensorInfo;
using formats::TensorType;

void PrepareContext::ReadOperand(const FlatVector& operands, uint32_t index, TensorInfo& info) {
  model_.ReadTensor(static_cast<uint32_t>(reader().ReadElementI32(operands, index)), info);
}

Result<TensorInfo> PrepareContext::ReadOperand(const FlatVector& operands, uint32_t index) {
  if (index >= operands.count) return Status::kModelMalformed;
  TensorInfo info;
  ReadOperand(operands, index, info);
  OTA_TRY(reader().status());
  return info;
}

void PrepareContext::ReadInput(uint32_t index, TensorInfo& info) {
  ReadOperand(info_.inputs, index, info);
}

void PrepareContext::ReadOutput(uint32_t index, TensorInfo& info) {
  ReadOperand(info_.outputs, index, info);
}

void PrepareContext::ReadOperands(uint32_t input_index, TensorInfo& input, TensorInfo& output) {
  ReadInput(input_index, input);
  ReadOutput(0, output);
  const bool is_int8 = input.type == TensorType::kInt8 && output.type == TensorType::kInt8;
  if (is_int8_only_ && !is_int8) reader().Fail(Status::kUnsupportedType);
}

bool PrepareContext::HasInput(uint32_t index) {
  return index < info_.inputs.count && model_.reader().ReadElementI32(info_.inputs, index) >= 0;
}

Result<TensorInfo> PrepareContext::ReadInput(uint32_t index) {
  return ReadOperand(info_.inputs, index);
}

Result<TensorInfo> PrepareContext::ReadOutput(uint32_t index) {
  return ReadOperand(info_.outputs, index);
}

Result<TensorInfo> PrepareContext::ReadIntermediate(uint32_t index) {
  return ReadOperand(info_.intermediates, index);
}

int32_t PrepareContext::OptionI32(uint32_t slot, int32_t absent) {
  return model_.reader().FieldI32(info_.options, slot, absent);
}

uint8_t PrepareContext::OptionU8(uint32_t slot, uint8_t absent) {
  return model_.reader().FieldU8(info_.options, slot, absent);
}

float PrepareContext::OptionF32(uint32_t slot, float absent) {
  return model_.reader().FieldF32(info_.options, slot, absent);
}

Result<int32_t> PrepareContext::ReadConstantI32(const TensorInfo& tensor, uint32_t index) {
  if (!tensor.is_constant || index >= tensor.element_count) return Status::kModelMalformed;
  formats::FlatbufferReader& reader = model_.reader();
  const uint32_t at = tensor.constant_offset + index * formats::ElementBytes(tensor.type);
  int64_t value = 0;
  switch (tensor.type) {
    case TensorType::kInt32:
      value = reader.ReadI32(at);
      break;
    case TensorType::kInt64:
      value = static_cast<int64_t>(reader.ReadU64(at));
      break;
    case TensorType::kInt8:
      value = static_cast<int8_t>(reader.ReadU8(at));
      break;
    default:
      return Status::kUnsupportedType;
  }
  OTA_TRY(reader.status());
  if (value < INT32_MIN || value > INT32_MAX) return Status::kUnsupportedShape;
  return static_cast<int32_t>(value);
}

Slot PrepareContext::InputSlot(uint32_t index) {
  TensorInfo tensor;
  ReadInput(index, tensor);
  return InputSlot(tensor);
}

Slot PrepareContext::VariableSlot(uint32_t index) {
  TensorInfo tensor;
  ReadInput(index, tensor);
  return builder_.UseVariable(tensor);
}

Slot PrepareContext::OutputSlot(uint32_t index) {
  TensorInfo tensor;
  ReadOutput(index, tensor);
  return OutputSlot(tensor);
}

Slot PrepareContext::ScratchSlot(uint32_t bytes) { return builder_.UseScratch(bytes); }

Slot PrepareContext::StateSlot(uint32_t bytes, uint8_t fill) {
  return builder_.UseState(bytes, fill);
}

void PrepareContext::CallSubgraph(uint32_t index, Slot is_done) {
  builder_.CallSubgraph(index, is_done, WalkCalledSubgraph);
}

Result<bool> PrepareContext::HasSameNames(formats::FlatTable other, uint32_t slot) {
  formats::FlatbufferReader& reader = model_.reader();
  const FlatVector mine = reader.FindVector(info_.options, slot, 1);
  const FlatVector name = reader.FindVector(other, slot, 1);
  if (mine.count > kResourceNameBytesMax) return Status::kModelTooLarge;
  bool is_same = mine.count == name.count;
  for (uint32_t i = 0; i < mine.count && is_same; ++i) {
    is_same = reader.ReadU8(mine.position + i) == reader.ReadU8(name.position + i);
  }
  OTA_TRY(reader.status());
  return is_same;
}

Status PrepareContext::NameResource(uint32_t output_index, uint32_t container_slot,
                                    uint32_t name_slot) {
  OTA_TRY(const TensorInfo& output, ReadOutput(output_index));
  uint32_t handle = builder_.FindHandle(0);
  for (; handle != kNoBuffer; handle = builder_.FindHandle(handle + 1)) {
    const uint32_t names = builder_.HandleNames(handle);
    const formats::FlatTable other =
        names == 0 ? formats::FlatTable() : model_.reader().ReadTable(names);
    OTA_TRY(const bool is_container, HasSameNames(other, container_slot));
    OTA_TRY(const bool is_name, HasSameNames(other, name_slot));
    if (is_container && is_name) break;
  }
  builder_.AddHandle(output, info_.options.position, handle);
  return builder_.status();
}

Slot PrepareContext::ResourceSlot(uint32_t handle_index, const TensorInfo& value) {
  const Result<TensorInfo> handle = ReadInput(handle_index);
  if (handle.ok()) return builder_.UseResource(*handle, value);
  builder_.Fail(handle.status());
  return kNoSlot;
}

void PrepareContext::AllowOverlap(uint32_t input_index, uint32_t output_index, uint32_t distance) {
  const int32_t input = reader().ReadElementI32(info_.inputs, input_index);
  const int32_t output = reader().ReadElementI32(info_.outputs, output_index);
  if (input < 0) return;
  builder_.AllowOverlap(static_cast<uint32_t>(input), static_cast<uint32_t>(output), distance);
}

Status PrepareContext::CommitBytes(const void* params, uint32_t bytes, uint32_t slot_count) {
  builder_.Commit(*this, params, bytes, slot_count);
  return builder_.status();
}

}  // namespace ota::engine
