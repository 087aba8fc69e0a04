// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/model_validator.h"

#include <algorithm>
#include <cmath>

#include "formats/tflite/model_reader.h"

namespace ota::formats {

namespace {

constexpr uint32_t kModelBytesMax = 1u << 30;
constexpr uint32_t kTensorCountMax = 0xFFF0;
constexpr uint32_t kOverlapChecksMax = 1u << 20;

// Walks the tables of a model in file order. What is visited is paid for from a budget of a few
// times the file's length, so that parts shared without measure cannot make the walk long.
class Validator {
 public:
  explicit Validator(ByteSource& source)
      : model_(source),
        budget_(std::min(source.size_bytes(), kModelBytesMax - 1024) * 4 + 4096 - 1) {}

  Status Run() {
    if (model_.source().size_bytes() > kModelBytesMax) return Status::kModelTooLarge;
    OTA_TRY(model_.Open());
    OTA_TRY(VerifyOperatorCodes());
    OTA_TRY(VerifyBuffers());
    for (uint32_t i = 0; i < model_.subgraph_count(); ++i) {
      OTA_TRY(Spend(8));
      OTA_TRY(model_.SelectSubgraph(i));
      OTA_TRY(VerifyTensors());
      OTA_TRY(VerifyIndices(model_.inputs(), 0));
      OTA_TRY(VerifyIndices(model_.outputs(), 0));
      OTA_TRY(VerifyOperators(i));
    }
    return Status::kOk;
  }

 private:
  [[gnu::noinline]] Status Spend(uint32_t bytes) {
    if (bytes > budget_) return Status::kModelMalformed;
    budget_ -= bytes;
    return Status::kOk;
  }

  Status VerifyOperatorCodes() {
    FlatbufferReader& reader = model_.reader();
    const FlatVector& codes = model_.operator_codes();
    for (uint32_t i = 0; i < codes.count; ++i) {
      OTA_TRY(Spend(8));
      const FlatTable code = reader.ReadElementTable(codes, i);
      reader.FieldU8(code, operator_code_slot::kDeprecatedCode);
      reader.FieldI32(code, operator_code_slot::kCode);
      const FlatVector name = reader.FindVector(code, operator_code_slot::kCustomName, 1);
      OTA_TRY(Spend(name.count));
      OTA_TRY(reader.status());
    }
    return Status::kOk;
  }

  FlatVector ReadBuffer(uint32_t index) {
    FlatbufferReader& reader = model_.reader();
    const FlatTable buffer = reader.ReadElementTable(model_.buffers(), index);
    // Data after the flatbuffer (models over 2 GB) are beyond what this reads.
    if (reader.FieldU64(buffer, buffer_slot::kOffset) > 1) reader.Fail(Status::kModelTooLarge);
    return reader.FindVector(buffer, buffer_slot::kData, 1);
  }

  // Writers put buffers in ascending or descending order, which one pass recognizes; any other
  // order costs a comparison of each with each.
  Status VerifyBuffers() {
    const FlatVector& buffers = model_.buffers();
    if (buffers.count == 0) return Status::kModelMalformed;
    uint32_t highest_end = 0;
    uint32_t lowest_begin = 0xFFFFFFFF;
    uint32_t checks = 0;
    for (uint32_t i = 0; i < buffers.count; ++i) {
      OTA_TRY(Spend(8));
      const FlatVector data = ReadBuffer(i);
      OTA_TRY(model_.reader().status());
      if (data.count == 0) continue;
      OTA_TRY(Spend(data.count));
      const uint32_t end = data.position + data.count;
      const bool is_apart = data.position >= highest_end || end <= lowest_begin;
      if (!is_apart) OTA_TRY(VerifyApartFromEarlier(data, i, checks));
      highest_end = std::max(highest_end, end);
      lowest_begin = std::min(lowest_begin, data.position);
    }
    return Status::kOk;
  }

  Status VerifyApartFromEarlier(const FlatVector& data, uint32_t count, uint32_t& checks) {
    checks += count;
    if (checks > kOverlapChecksMax) return Status::kModelTooLarge;
    for (uint32_t i = 0; i < count; ++i) {
      const FlatVector other = ReadBuffer(i);
      OTA_TRY(model_.reader().status());
      if (other.count != 0 && data.position < other.position + other.count &&
          other.position < data.position + data.count) {
        return Status::kModelMalformed;
      }
    }
    return Status::kOk;
  }

  Status VerifyTensors() {
    if (model_.tensor_count() > kTensorCountMax) return Status::kModelTooLarge;
    for (uint32_t i = 0; i < model_.tensor_count(); ++i) {
      OTA_TRY(Spend(8));
      TensorInfo tensor;
      OTA_TRY(model_.ReadTensor(i, tensor));
      OTA_TRY(Spend(tensor.scale_count * 12));
      OTA_TRY(VerifyTensor(tensor));
      OTA_TRY(VerifyScales(tensor));
      OTA_TRY(VerifyExtras(i));
    }
    return Status::kOk;
  }

  static Status VerifyTensor(const TensorInfo& tensor) {
    if (tensor.is_variable && tensor.is_constant) return Status::kModelMalformed;
    if (!tensor.is_constant || ElementBytes(tensor.type) == 0) return Status::kOk;
    if (tensor.constant_bytes != tensor.size_bytes) return Status::kModelMalformed;
    return Status::kOk;
  }

  Status VerifyScales(const TensorInfo& tensor) {
    if (tensor.scale_count == 0) return Status::kOk;
    FlatbufferReader& reader = model_.reader();
    for (uint32_t i = 0; i < tensor.scale_count; ++i) {
      const float scale = reader.ReadF32(tensor.scales_offset + 4 * i);
      if (!std::isfinite(scale) || scale <= 0.0f) return Status::kModelMalformed;
    }
    return reader.status();
  }

  // Zero points: one, or one per scale, and within 32 bits. Names: in the file.
  Status VerifyExtras(uint32_t index) {
    FlatbufferReader& reader = model_.reader();
    const FlatTable table = reader.ReadElementTable(model_.tensors(), index);
    const FlatTable quantization = reader.FindTable(table, tensor_slot::kQuantization);
    const FlatVector scales = reader.FindVector(quantization, quantization_slot::kScale, 4);
    const FlatVector points = reader.FindVector(quantization, quantization_slot::kZeroPoint, 8);
    const FlatVector name = reader.FindVector(table, tensor_slot::kName, 1);
    OTA_TRY(reader.status());
    OTA_TRY(Spend(name.count));
    if (points.count > 1 && points.count != scales.count) return Status::kModelMalformed;
    for (uint32_t i = 0; i < points.count; ++i) {
      const auto point = static_cast<int64_t>(reader.ReadU64(points.position + 8 * i));
      if (point < INT32_MIN || point > INT32_MAX) return Status::kModelMalformed;
    }
    return reader.status();
  }

  // Every index names a tensor; from `lowest` on, so that -1 passes for operands left out.
  Status VerifyIndices(const FlatVector& indices, int32_t lowest) {
    OTA_TRY(Spend(indices.count * 4));
    for (uint32_t i = 0; i < indices.count; ++i) {
      const int32_t index = model_.reader().ReadElementI32(indices, i);
      if (index < lowest || index >= static_cast<int32_t>(model_.tensor_count())) {
        return Status::kModelMalformed;
      }
    }
    return model_.reader().status();
  }

  // Only the first subgraph calls others, so calls never lead back.
  Status VerifyCall(const OperatorInfo& info, uint32_t caller) {
    if (info.code != static_cast<int32_t>(OperatorCode::kCallOnce)) return Status::kOk;
    const int32_t called = model_.reader().FieldI32(info.options, call_once_slot::kSubgraph);
    OTA_TRY(model_.reader().status());
    const bool is_sound =
        caller == 0 && called > 0 && static_cast<uint32_t>(called) < model_.subgraph_count();
    return is_sound ? Status::kOk : Status::kModelMalformed;
  }

  Status VerifyOperators(uint32_t subgraph) {
    if (model_.operator_count() > kTensorCountMax) return Status::kModelTooLarge;
    for (uint32_t i = 0; i < model_.operator_count(); ++i) {
      OTA_TRY(Spend(8));
      OTA_TRY(const OperatorInfo& info, model_.ReadOperator(i));
      OTA_TRY(Spend(info.custom_options.count));
      OTA_TRY(VerifyIndices(info.inputs, -1));
      OTA_TRY(VerifyIndices(info.outputs, 0));
      OTA_TRY(VerifyIndices(info.intermediates, -1));
      OTA_TRY(VerifyCall(info, subgraph));
    }
    return Status::kOk;
  }

  ModelReader model_;
  uint32_t budget_;
};

}  // namespace

Status VerifyModel(ByteSource& source) { return Validator(source).Run(); }

}  // namespace ota::formats
