// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/tflite/flatbuffer_reader.h"
#include "formats/tflite/schema.h"

namespace ota::formats {

constexpr uint32_t kRankMax = 6;

/// The fields of a tensor's quantization. Offsets are in the file.
struct TensorScales {
  uint32_t scales_offset;       ///< of float32
  uint32_t scale_count;         ///< more than 1: per channel
  uint32_t zero_points_offset;  ///< of int64
  uint32_t zero_point_count;
  int32_t channel_dimension;
};

/// The bytes of a constant, in the file.
struct TensorConstant {
  uint32_t constant_offset;
  uint32_t constant_bytes;
};

/// What a tensor is.
struct TensorKind {
  uint32_t index;  ///< in its subgraph
  TensorType type;
  uint8_t rank;
  bool is_variable;
  bool is_constant;
};

/// What a model says of one tensor. Nothing until ModelReader::ReadTensor has filled it.
struct TensorInfo : TensorKind, TensorScales, TensorConstant {
  std::array<int32_t, kRankMax> dimensions;
  uint32_t element_count;
  uint32_t size_bytes;   ///< element_count times the element's bytes
  float scale;           ///< the first one; 0 where the tensor is not quantized
  int32_t zero_point;    ///< the first one
  uint32_t name_offset;  ///< in the file, of its characters
  uint32_t name_bytes;

  int32_t dimension(uint32_t index_from_front) const { return dimensions[index_from_front]; }
  int32_t last_dimension() const { return rank == 0 ? 1 : dimensions[rank - 1u]; }
};

/// What a model says of an operator's code.
struct OperatorCodeInfo {
  int32_t code;                 ///< an OperatorCode or another number
  uint32_t custom_name_offset;  ///< in the file, of the name's characters
  uint32_t custom_name_bytes;
};

/// The fields of an operator. Vectors hold tensor indices; -1 stands for an operand that is left
/// out.
struct OperatorOperands {
  uint32_t code_index;
  FlatVector inputs;
  FlatVector outputs;
  FlatTable options;
  FlatVector custom_options;
  FlatVector intermediates;
};

/// What a model says of one operator.
struct OperatorInfo : OperatorCodeInfo, OperatorOperands {};

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
  /// Selects another subgraph for what follows. kModelMalformed: there is none of that number.
  Status SelectSubgraph(uint32_t index);

  FlatbufferReader& reader() { return reader_; }
  ByteSource& source() { return reader_.source(); }

  uint32_t subgraph_count() const { return root_.subgraphs.count; }
  uint32_t tensor_count() const { return subgraph_.tensors.count; }
  uint32_t operator_count() const { return subgraph_.operators.count; }
  const FlatVector& subgraphs() const { return root_.subgraphs; }
  const FlatVector& inputs() const { return subgraph_.inputs; }
  const FlatVector& outputs() const { return subgraph_.outputs; }
  const FlatVector& tensors() const { return subgraph_.tensors; }
  const FlatVector& operators() const { return subgraph_.operators; }
  const FlatVector& operator_codes() const { return root_.operator_codes; }
  const FlatVector& buffers() const { return root_.buffers; }

  /// kOutOfRange: no such tensor or operator. kModelTooLarge: more dimensions than kRankMax, or
  /// more bytes than 2^31. Otherwise as Open.
  Result<TensorInfo> ReadTensor(uint32_t index);
  Result<OperatorInfo> ReadOperator(uint32_t index);

  // The same, whose failures stick in reader().status(): a tensor is then all zeros, of the others
  // what could not be read. An index that names nothing is kModelMalformed.
  void ReadTensor(uint32_t index, TensorInfo& info);
  void ReadOperator(uint32_t index, OperatorInfo& info);
  void ReadOperatorCode(uint32_t index, OperatorCodeInfo& info);
  FlatVector ReadBuffer(uint32_t index);

  /// Copies the tensor's name, cut to `target`. The view lies in `target`.
  Result<std::string_view> ReadTensorName(uint32_t index, std::span<char> target);
  /// Name of the operator: of its code, or the custom name, cut to `target`.
  Result<std::string_view> ReadOperatorName(const OperatorInfo& info, std::span<char> target);

 private:
  /// The product of two sizes; kModelTooLarge sticks beyond kTensorBytesMax.
  uint32_t Multiply(uint32_t first, uint32_t second);
  /// Elements of a tensor, from its dimensions.
  uint32_t ReadShape(const FlatVector& shape, TensorInfo& info);
  void ReadName(uint32_t offset, std::span<char> target);

  FlatbufferReader reader_;
  struct {
    uint32_t version;
    FlatVector operator_codes;
    FlatVector subgraphs;
    FlatVector buffers;
  } root_;
  struct {
    FlatVector tensors;
    FlatVector inputs;
    FlatVector outputs;
    FlatVector operators;
  } subgraph_;
};

}  // namespace ota::formats
