// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/tflite/flatbuffer_reader.h"
#include "formats/tflite/schema.h"

namespace ota::formats {

constexpr uint32_t kRankMax = 6;

/// What a model says of one tensor.
struct TensorInfo {
  TensorInfo();

  uint32_t index = 0;  ///< in its subgraph
  TensorType type = TensorType::kFloat32;
  uint8_t rank = 0;
  bool is_variable = false;
  bool is_constant = false;
  std::array<int32_t, kRankMax> dimensions{};
  uint32_t element_count = 1;
  uint32_t size_bytes = 0;       ///< element_count times the element's bytes
  uint32_t constant_offset = 0;  ///< in the file, of its bytes, if it is constant
  uint32_t constant_bytes = 0;
  float scale = 0.0f;          ///< the first one; 0 where the tensor is not quantized
  int32_t zero_point = 0;      ///< the first one
  uint32_t scale_count = 0;    ///< more than 1: per channel
  uint32_t scales_offset = 0;  ///< in the file, of the float32 scales
  int32_t channel_dimension = 0;

  int32_t dimension(uint32_t index_from_front) const { return dimensions[index_from_front]; }
  int32_t last_dimension() const { return rank == 0 ? 1 : dimensions[rank - 1u]; }
};

/// What a model says of one operator. Vectors hold tensor indices; -1 stands for an operand that is
/// left out.
struct OperatorInfo {
  int32_t code = 0;                 ///< an OperatorCode or another number
  uint32_t custom_name_offset = 0;  ///< in the file, of the name's characters
  uint32_t custom_name_bytes = 0;
  FlatVector inputs;
  FlatVector outputs;
  FlatVector intermediates;
  FlatTable options;
  FlatVector custom_options;
};

/// Reads a TensorFlow Lite model through a source: subgraphs, tensors, operators. Holds positions
/// only, nothing of the model's size.
///
///   ModelReader model(source);
///   OTA_TRY(model.Open());
///   OTA_TRY(const OperatorInfo first, model.ReadOperator(0));
///
/// Trust: every access is bounds checked, so no bytes can make it read outside of the file. That
/// counts and references make sense is what VerifyModel (model_validator.h) checks; run it first.
class ModelReader {
 public:
  /// `source` must outlive the reader.
  explicit ModelReader(ByteSource& source) : reader_(source) {}

  /// Finds the root and selects subgraph 0.
  /// kNotAModel: no TensorFlow Lite flatbuffer, or not of version 3. kModelTruncated,
  /// kModelMalformed: see VerifyModel. Or what the source returned.
  Status Open();
  /// Selects another subgraph for what follows. kOutOfRange: there is none of that number.
  Status SelectSubgraph(uint32_t index);

  FlatbufferReader& reader() { return reader_; }
  ByteSource& source() { return reader_.source(); }

  uint32_t subgraph_count() const { return subgraphs_.count; }
  uint32_t tensor_count() const { return tensors_.count; }
  uint32_t operator_count() const { return operators_.count; }
  const FlatVector& inputs() const { return inputs_; }
  const FlatVector& outputs() const { return outputs_; }
  const FlatVector& tensors() const { return tensors_; }
  const FlatVector& operators() const { return operators_; }
  const FlatVector& operator_codes() const { return operator_codes_; }
  const FlatVector& buffers() const { return buffers_; }

  /// kOutOfRange: no such tensor or operator. kModelTooLarge: more dimensions than kRankMax, or
  /// more bytes than 2^31. Otherwise as Open.
  Result<TensorInfo> ReadTensor(uint32_t index);
  /// The same into `info`, which must be new.
  Status ReadTensor(uint32_t index, TensorInfo& info);
  Result<OperatorInfo> ReadOperator(uint32_t index);

  /// Copies the tensor's name, cut to `target`. The view lies in `target`.
  Result<std::string_view> ReadTensorName(uint32_t index, std::span<char> target);
  /// Name of the operator: of its code, or the custom name, cut to `target`.
  Result<std::string_view> ReadOperatorName(const OperatorInfo& info, std::span<char> target);

 private:
  Status ReadShape(const FlatTable& table, TensorInfo& info);
  void ReadQuantization(const FlatTable& table, TensorInfo& info);
  void ReadConstant(const FlatTable& table, TensorInfo& info);

  FlatbufferReader reader_;
  FlatVector operator_codes_;
  FlatVector subgraphs_;
  FlatVector buffers_;
  FlatVector tensors_;
  FlatVector inputs_;
  FlatVector outputs_;
  FlatVector operators_;
};

}  // namespace ota::formats
