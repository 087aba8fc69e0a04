// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/model_validator.h"

#include <algorithm>

#include "formats/tflite/model_reader.h"

namespace ota::formats {

namespace {

/// So that the budget fits 32 bits.
constexpr uint32_t kModelBytesMax = (1u << 30) - 1024;
constexpr uint32_t kTensorCountMax = 0xFFF0;
constexpr uint32_t kOverlapChecksMax = 1u << 20;

// Walks the tables of a model in file order. What is visited is paid for from a budget of a few
// times the file's length, so that parts shared without measure cannot make the walk long. What
// the reader refuses sticks in it, and is asked for before each next table.
class Validator {
 public:
  explicit Validator(ByteSource& source)
      : model_(source), budget_(reader().size_bytes() * 4 + 4096 - 1) {}

  Status Run() {
    const Status status = VerifyAll();
    return IsOk(reader().status()) ? status : reader().status();
  }

 private:
  FlatbufferReader& reader() { return model_.reader(); }

  Status VerifyAll() {
    if (reader().size_bytes() > kModelBytesMax) return Status::kModelTooLarge;
    OTA_TRY(model_.Open());
    VerifyOperatorCodes();
    OTA_TRY(VerifyBuffers());
    for (uint32_t i = 0; IsNext(model_.subgraphs(), i); ++i) {
      OTA_TRY(model_.SelectSubgraph(i));
      OTA_TRY(VerifyTensors());
      OTA_TRY(VerifyIndices(model_.inputs(), 0));
      OTA_TRY(VerifyIndices(model_.outputs(), 0));
      OTA_TRY(VerifyOperators(i));
    }
    return Status::kOk;
  }

  bool Spend(uint32_t bytes) {
    if (bytes > budget_) reader().Fail(Status::kModelMalformed);
    budget_ -= bytes;
    return IsOk(reader().status());
  }

  // Whether table `index` of a vector is to be visited, which is then paid for.
  bool IsNext(const FlatVector& tables, uint32_t index) { return index < tables.count && Spend(8); }

  void VerifyOperatorCodes() {
    for (uint32_t i = 0; IsNext(model_.operator_codes(), i); ++i) {
      OperatorCodeInfo info;
      model_.ReadOperatorCode(i, info);
      Spend(info.custom_name_bytes);
    }
  }

  // Writers put buffers in ascending or descending order, which one pass recognizes; any other
  // order costs a comparison of each with each.
  Status VerifyBuffers() {
    const FlatVector& buffers = model_.buffers();
    if (buffers.count == 0) return Status::kModelMalformed;
    uint32_t highest_end = 0;
    uint32_t lowest_begin = 0xFFFFFFFF;
    uint32_t checks = 0;
    for (uint32_t i = 0; IsNext(buffers, i); ++i) {
      const FlatVector data = model_.ReadBuffer(i);
      if (data.count == 0) continue;
      Spend(data.count);
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
      const FlatVector other = model_.ReadBuffer(i);
      if (other.count != 0 && data.position < other.position + other.count &&
          other.position < data.position + data.count) {
        return Status::kModelMalformed;
      }
    }
    return Status::kOk;
  }

  Status VerifyTensors() {
    if (model_.tensor_count() > kTensorCountMax) return Status::kModelTooLarge;
    for (uint32_t i = 0; IsNext(model_.tensors(), i); ++i) {
      TensorInfo tensor;
      model_.ReadTensor(i, tensor);
      Spend(tensor.scale_count * 12 + tensor.name_bytes);  // less than four times the file
      OTA_TRY(VerifyConstant(tensor));
      OTA_TRY(VerifyQuantization(tensor));
    }
    return Status::kOk;
  }

  static Status VerifyConstant(const TensorInfo& tensor) {
    if (!tensor.is_constant) return Status::kOk;
    if (tensor.is_variable) return Status::kModelMalformed;
    const bool has_size = ElementBytes(tensor.type) != 0;
    if (has_size && tensor.constant_bytes != tensor.size_bytes) return Status::kModelMalformed;
    return Status::kOk;
  }

  // Scales: finite and positive, as their bits tell. Zero points: one, or one per scale, and within
  // 32 bits.
  Status VerifyQuantization(const TensorInfo& tensor) {
    constexpr uint32_t kInfinity = 0x7F800000;
    for (uint32_t i = 0; i < tensor.scale_count; ++i) {
      const uint32_t bits = reader().ReadU32(tensor.scales_offset + 4 * i);
      if (bits - 1 >= kInfinity - 1) return Status::kModelMalformed;
    }
    const uint32_t count = tensor.zero_point_count;
    if (count > 1 && count != tensor.scale_count) return Status::kModelMalformed;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t at = tensor.zero_points_offset + 8 * i;
      if (reader().ReadI32(at) >> 31 != reader().ReadI32(at + 4)) return Status::kModelMalformed;
    }
    return Status::kOk;
  }

  // Every index names a tensor; from `lowest` on, so that -1 passes for operands left out.
  Status VerifyIndices(const FlatVector& indices, int32_t lowest) {
    Spend(indices.count * 4);
    for (uint32_t i = 0; i < indices.count; ++i) {
      const int32_t index = reader().ReadElementI32(indices, i);
      if (index < lowest || index >= static_cast<int32_t>(model_.tensor_count())) {
        return Status::kModelMalformed;
      }
    }
    return Status::kOk;
  }

  // Only the first subgraph calls others, so calls never lead back.
  Status VerifyCall(const OperatorInfo& info, uint32_t caller) {
    if (info.code != static_cast<int32_t>(OperatorCode::kCallOnce)) return Status::kOk;
    const auto called =
        static_cast<uint32_t>(reader().FieldI32(info.options, call_once_slot::kSubgraph));
    const bool is_sound = caller == 0 && called > 0 && called < model_.subgraph_count();
    return is_sound ? Status::kOk : Status::kModelMalformed;
  }

  Status VerifyOperators(uint32_t subgraph) {
    if (model_.operator_count() > kTensorCountMax) return Status::kModelTooLarge;
    for (uint32_t i = 0; IsNext(model_.operators(), i); ++i) {
      OperatorInfo info;
      model_.ReadOperator(i, info);
      Spend(info.custom_options.count);
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

// Apart from its caller, which is smaller so.
[[gnu::noinline]] Status VerifyModel(ByteSource& source) { return Validator(source).Run(); }

}  // namespace ota::formats
