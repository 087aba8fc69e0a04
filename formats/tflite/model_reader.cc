// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/model_reader.h"

#include <algorithm>
#include <cstring>

namespace ota::formats {

namespace {

constexpr uint32_t kIdentifier = 0x334C4654;  // "TFL3"
constexpr uint32_t kSchemaVersion = 3;
constexpr uint32_t kTensorBytesMax = 0x7FFFFFFF;

}  // namespace

TensorInfo::TensorInfo() = default;

Status ModelReader::Open() {
  if (reader_.size_bytes() < 8) return Status::kNotAModel;
  const uint32_t root = reader_.ReadU32(0);
  const uint32_t identifier = reader_.ReadU32(4);
  OTA_TRY(reader_.status());
  if (identifier != kIdentifier) return Status::kNotAModel;
  const FlatTable model = reader_.ReadTable(root);
  if (reader_.FieldI32(model, model_slot::kVersion) != kSchemaVersion) {
    reader_.Fail(Status::kNotAModel);
  }
  operator_codes_ = reader_.FindVector(model, model_slot::kOperatorCodes, 4);
  subgraphs_ = reader_.FindVector(model, model_slot::kSubgraphs, 4);
  buffers_ = reader_.FindVector(model, model_slot::kBuffers, 4);
  OTA_TRY(reader_.status());
  if (subgraphs_.count == 0) return Status::kModelMalformed;
  return SelectSubgraph(0);
}

Status ModelReader::SelectSubgraph(uint32_t index) {
  if (index >= subgraphs_.count) return Status::kOutOfRange;
  const FlatTable subgraph = reader_.ReadElementTable(subgraphs_, index);
  tensors_ = reader_.FindVector(subgraph, subgraph_slot::kTensors, 4);
  inputs_ = reader_.FindVector(subgraph, subgraph_slot::kInputs, 4);
  outputs_ = reader_.FindVector(subgraph, subgraph_slot::kOutputs, 4);
  operators_ = reader_.FindVector(subgraph, subgraph_slot::kOperators, 4);
  return reader_.status();
}

Status ModelReader::ReadShape(const FlatTable& table, TensorInfo& info) {
  const FlatVector shape = reader_.FindVector(table, tensor_slot::kShape, 4);
  if (shape.count > kRankMax) return Status::kModelTooLarge;
  info.rank = static_cast<uint8_t>(shape.count);
  uint64_t elements = 1;
  for (uint32_t i = 0; i < shape.count; ++i) {
    const int32_t dimension = reader_.ReadElementI32(shape, i);
    if (dimension < 0) return Status::kModelMalformed;
    info.dimensions[i] = dimension;
    elements *= static_cast<uint32_t>(dimension);
    if (elements > kTensorBytesMax) return Status::kModelTooLarge;
  }
  const uint64_t bytes = elements * ElementBytes(info.type);
  if (bytes > kTensorBytesMax) return Status::kModelTooLarge;
  info.element_count = static_cast<uint32_t>(elements);
  info.size_bytes = static_cast<uint32_t>(bytes);
  return reader_.status();
}

void ModelReader::ReadQuantization(const FlatTable& table, TensorInfo& info) {
  const FlatTable quantization = reader_.FindTable(table, tensor_slot::kQuantization);
  if (!quantization.is_present()) return;
  const FlatVector scales = reader_.FindVector(quantization, quantization_slot::kScale, 4);
  const FlatVector zero_points = reader_.FindVector(quantization, quantization_slot::kZeroPoint, 8);
  info.scale_count = scales.count;
  info.scales_offset = scales.position;
  if (scales.count != 0) info.scale = reader_.ReadF32(scales.position);
  if (zero_points.count != 0) info.zero_point = reader_.ReadI32(zero_points.position);
  info.channel_dimension = reader_.FieldI32(quantization, quantization_slot::kQuantizedDimension);
}

void ModelReader::ReadConstant(const FlatTable& table, TensorInfo& info) {
  const uint32_t index = static_cast<uint32_t>(reader_.FieldI32(table, tensor_slot::kBuffer));
  const FlatTable buffer = reader_.ReadElementTable(buffers_, index);
  const FlatVector data = reader_.FindVector(buffer, buffer_slot::kData, 1);
  info.is_constant = data.count != 0;
  info.constant_offset = data.position;
  info.constant_bytes = data.count;
}

Status ModelReader::ReadTensor(uint32_t index, TensorInfo& info) {
  if (index >= tensors_.count) return Status::kOutOfRange;
  const FlatTable table = reader_.ReadElementTable(tensors_, index);
  info.index = index;
  info.type = static_cast<TensorType>(reader_.FieldU8(table, tensor_slot::kType));
  info.is_variable = reader_.FieldU8(table, tensor_slot::kIsVariable) != 0;
  OTA_TRY(ReadShape(table, info));
  ReadQuantization(table, info);
  ReadConstant(table, info);
  return reader_.status();
}

Result<TensorInfo> ModelReader::ReadTensor(uint32_t index) {
  TensorInfo info;
  OTA_TRY(ReadTensor(index, info));
  return info;
}

Result<OperatorInfo> ModelReader::ReadOperator(uint32_t index) {
  if (index >= operators_.count) return Status::kOutOfRange;
  const FlatTable table = reader_.ReadElementTable(operators_, index);
  OperatorInfo info;
  info.inputs = reader_.FindVector(table, operator_slot::kInputs, 4);
  info.outputs = reader_.FindVector(table, operator_slot::kOutputs, 4);
  info.intermediates = reader_.FindVector(table, operator_slot::kIntermediates, 4);
  info.options = reader_.FindTable(table, operator_slot::kOptions);
  info.custom_options = reader_.FindVector(table, operator_slot::kCustomOptions, 1);
  const auto code_index = static_cast<uint32_t>(reader_.FieldI32(table, operator_slot::kCodeIndex));
  const FlatTable code = reader_.ReadElementTable(operator_codes_, code_index);
  const auto deprecated =
      static_cast<int8_t>(reader_.FieldU8(code, operator_code_slot::kDeprecatedCode));
  info.code = std::max<int32_t>(deprecated, reader_.FieldI32(code, operator_code_slot::kCode));
  const FlatVector name = reader_.FindVector(code, operator_code_slot::kCustomName, 1);
  info.custom_name_offset = name.position;
  info.custom_name_bytes = name.count;
  OTA_TRY(reader_.status());
  return info;
}

Result<std::string_view> ModelReader::ReadTensorName(uint32_t index, std::span<char> target) {
  if (index >= tensors_.count) return Status::kOutOfRange;
  const FlatTable table = reader_.ReadElementTable(tensors_, index);
  const FlatVector name = reader_.FindVector(table, tensor_slot::kName, 1);
  const size_t length = std::min<size_t>(name.count, target.size());
  reader_.ReadBytes(name.position,
                    MutableByteSpan(reinterpret_cast<uint8_t*>(target.data()), length));
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
  reader_.ReadBytes(info.custom_name_offset,
                    MutableByteSpan(reinterpret_cast<uint8_t*>(target.data()), length));
  OTA_TRY(reader_.status());
  return std::string_view(target.data(), length);
}

}  // namespace ota::formats
