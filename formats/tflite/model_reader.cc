// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/model_reader.h"

#include <algorithm>
#include <cstring>

namespace ota::formats {

namespace {

constexpr uint32_t kIdentifier = 0x334C4654;  // "TFL3"
constexpr uint32_t kSchemaVersion = 3;
constexpr uint32_t kTensorBytesMax = 0x7FFFFFFF;

// Fields in the order of the words that they are read into.
constexpr FlatField kRootFields[] = {{model_slot::kVersion, FlatKind::kI32},
                                     {model_slot::kOperatorCodes, FlatKind::kWords},
                                     {model_slot::kSubgraphs, FlatKind::kWords},
                                     {model_slot::kBuffers, FlatKind::kWords},
                                     {}};
constexpr FlatField kSubgraphFields[] = {{subgraph_slot::kTensors, FlatKind::kWords},
                                         {subgraph_slot::kInputs, FlatKind::kWords},
                                         {subgraph_slot::kOutputs, FlatKind::kWords},
                                         {subgraph_slot::kOperators, FlatKind::kWords},
                                         {}};
constexpr FlatField kTensorFields[] = {{tensor_slot::kShape, FlatKind::kWords},
                                       {tensor_slot::kType, FlatKind::kU8},
                                       {tensor_slot::kBuffer, FlatKind::kI32},
                                       {tensor_slot::kName, FlatKind::kBytes},
                                       {tensor_slot::kQuantization, FlatKind::kTable},
                                       {tensor_slot::kIsVariable, FlatKind::kU8},
                                       {}};
struct TensorFields {
  FlatVector shape;
  uint32_t type;
  uint32_t buffer;
  FlatVector name;
  FlatTable quantization;
  uint32_t is_variable;
};
constexpr FlatField kScaleFields[] = {{quantization_slot::kScale, FlatKind::kWords},
                                      {quantization_slot::kZeroPoint, FlatKind::kLongs},
                                      {quantization_slot::kQuantizedDimension, FlatKind::kI32},
                                      {}};
// Of the offset the low word is enough: no file that is read is so long.
constexpr FlatField kBufferFields[] = {
    {buffer_slot::kData, FlatKind::kBytes}, {buffer_slot::kOffset, FlatKind::kI32}, {}};
struct BufferFields {
  FlatVector data;
  uint32_t offset;
};
constexpr FlatField kOperatorFields[] = {{operator_slot::kCodeIndex, FlatKind::kI32},
                                         {operator_slot::kInputs, FlatKind::kWords},
                                         {operator_slot::kOutputs, FlatKind::kWords},
                                         {operator_slot::kOptions, FlatKind::kTable},
                                         {operator_slot::kCustomOptions, FlatKind::kBytes},
                                         {operator_slot::kIntermediates, FlatKind::kWords},
                                         {}};
constexpr FlatField kOperatorCodeFields[] = {{operator_code_slot::kDeprecatedCode, FlatKind::kU8},
                                             {operator_code_slot::kCode, FlatKind::kI32},
                                             {operator_code_slot::kCustomName, FlatKind::kBytes},
                                             {}};
struct OperatorCodeFields {
  uint32_t deprecated_code;
  int32_t code;
  FlatVector custom_name;
};

}  // namespace

Status ModelReader::Open() {
  if (reader_.size_bytes() < 8) return Status::kNotAModel;
  const uint32_t root = reader_.ReadU32(0);
  if (reader_.ReadU32(4) != kIdentifier) reader_.Fail(Status::kNotAModel);
  reader_.ReadFields<kRootFields>(reader_.ReadTable(root), root_);
  if (root_.version != kSchemaVersion) reader_.Fail(Status::kNotAModel);
  return SelectSubgraph(0);
}

Status ModelReader::SelectSubgraph(uint32_t index) {
  reader_.ReadFields<kSubgraphFields>(reader_.ReadElementTable(root_.subgraphs, index), subgraph_);
  return reader_.status();
}

[[gnu::noinline]] uint32_t ModelReader::Multiply(uint32_t first, uint32_t second) {
  const uint64_t product = uint64_t{first} * second;
  if (product > kTensorBytesMax) reader_.Fail(Status::kModelTooLarge);
  return static_cast<uint32_t>(product);
}

uint32_t ModelReader::ReadShape(const FlatVector& shape, TensorInfo& info) {
  uint32_t elements = 1;
  if (shape.count > kRankMax) reader_.Fail(Status::kModelTooLarge);
  for (uint32_t i = 0; i < std::min(shape.count, kRankMax); ++i) {
    const int32_t dimension = reader_.ReadElementI32(shape, i);
    info.dimensions[i] = dimension;
    if (dimension < 0) reader_.Fail(Status::kModelMalformed);
    elements = Multiply(elements, static_cast<uint32_t>(dimension));
  }
  return elements;
}

void ModelReader::ReadTensor(uint32_t index, TensorInfo& info) {
  TensorFields fields;
  info = {};
  reader_.ReadFields<kTensorFields>(reader_.ReadElementTable(subgraph_.tensors, index), fields);
  reader_.ReadFields<kScaleFields>(fields.quantization, static_cast<TensorScales&>(info));
  const FlatVector data = ReadBuffer(fields.buffer);
  info.index = index;
  info.type = static_cast<TensorType>(fields.type);
  info.rank = static_cast<uint8_t>(fields.shape.count);
  info.is_variable = fields.is_variable != 0;
  info.is_constant = data.count != 0;
  info.constant_offset = data.position;
  info.constant_bytes = data.count;
  info.element_count = ReadShape(fields.shape, info);
  info.size_bytes = Multiply(info.element_count, ElementBytes(info.type));
  info.scale = info.scale_count == 0 ? 0 : reader_.ReadF32(info.scales_offset);
  info.zero_point = info.zero_point_count == 0 ? 0 : reader_.ReadI32(info.zero_points_offset);
  info.name_offset = fields.name.position;
  info.name_bytes = fields.name.count;
  if (!IsOk(reader_.status())) info = {};
}

Result<TensorInfo> ModelReader::ReadTensor(uint32_t index) {
  if (index >= tensor_count()) return Status::kOutOfRange;
  TensorInfo info;
  ReadTensor(index, info);
  OTA_TRY(reader_.status());
  return info;
}

FlatVector ModelReader::ReadBuffer(uint32_t index) {
  BufferFields fields;
  reader_.ReadFields<kBufferFields>(reader_.ReadElementTable(root_.buffers, index), fields);
  // Data after the flatbuffer (models over 2 GB) are beyond what this reads.
  if (fields.offset > 1) reader_.Fail(Status::kModelTooLarge);
  return fields.data;
}

void ModelReader::ReadOperatorCode(uint32_t index, OperatorCodeInfo& info) {
  OperatorCodeFields fields;
  const FlatTable table = reader_.ReadElementTable(root_.operator_codes, index);
  reader_.ReadFields<kOperatorCodeFields>(table, fields);
  info.code = std::max<int32_t>(static_cast<int8_t>(fields.deprecated_code), fields.code);
  info.custom_name_offset = fields.custom_name.position;
  info.custom_name_bytes = fields.custom_name.count;
}

void ModelReader::ReadOperator(uint32_t index, OperatorInfo& info) {
  const FlatTable table = reader_.ReadElementTable(subgraph_.operators, index);
  reader_.ReadFields<kOperatorFields>(table, static_cast<OperatorOperands&>(info));
  ReadOperatorCode(info.code_index, info);
}

Result<OperatorInfo> ModelReader::ReadOperator(uint32_t index) {
  if (index >= operator_count()) return Status::kOutOfRange;
  OperatorInfo info;
  ReadOperator(index, info);
  OTA_TRY(reader_.status());
  return info;
}

void ModelReader::ReadName(uint32_t offset, std::span<char> target) {
  reader_.ReadBytes(offset,
                    MutableByteSpan(reinterpret_cast<uint8_t*>(target.data()), target.size()));
}

Result<std::string_view> ModelReader::ReadTensorName(uint32_t index, std::span<char> target) {
  OTA_TRY(const TensorInfo& info, ReadTensor(index));
  const size_t length = std::min<size_t>(info.name_bytes, target.size());
  ReadName(info.name_offset, target.first(length));
  OTA_TRY(reader_.status());
  return std::string_view(target.data(), length);
}

Result<std::string_view> ModelReader::ReadOperatorName(const OperatorInfo& info,
                                                       std::span<char> target) {
  if (info.code != static_cast<int32_t>(OperatorCode::kCustom)) {
    const char* const name = OperatorCodeName(info.code);
    return std::string_view(name, std::strlen(name));
  }
  const size_t length = std::min<size_t>(info.custom_name_bytes, target.size());
  ReadName(info.custom_name_offset, target.first(length));
  OTA_TRY(reader_.status());
  return std::string_view(target.data(), length);
}

}  // namespace ota::formats
