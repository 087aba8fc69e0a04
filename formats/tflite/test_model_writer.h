// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/tflite/schema.h"

// Writes small TensorFlow Lite models for tests and fuzzers. Host only.

namespace ota::formats {

/// One option in an operator's table: a scalar or a text in a slot.
struct OptionField {
  uint32_t slot;
  std::vector<uint8_t> bytes;
  bool is_text = false;
};
OptionField OptionU8(uint32_t slot, uint8_t value);
OptionField OptionI32(uint32_t slot, int32_t value);
OptionField OptionF32(uint32_t slot, float value);
OptionField OptionText(uint32_t slot, const std::string& text);

/// A tensor to be written.
struct TensorSpec {
  TensorType type = TensorType::kInt8;
  std::vector<int32_t> shape;
  std::vector<float> scales = {};
  int32_t zero_point = 0;
  std::vector<uint8_t> data = {};  ///< not empty: constant
  int32_t channel_dimension = 0;
  bool is_variable = false;
};

/// An operator to be written; tensors by index, -1 for one that is left out.
struct OperatorSpec {
  OperatorCode code;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  std::vector<OptionField> options = {};
  std::string custom_name = {};
  std::vector<uint8_t> custom_options = {};
  std::vector<int32_t> intermediates = {};
};

struct SubgraphSpec {
  std::vector<TensorSpec> tensors = {};
  std::vector<OperatorSpec> operators = {};
  std::vector<int32_t> inputs = {};
  std::vector<int32_t> outputs = {};
};

/// The flatbuffer of a model. Constant data are aligned to 16 bytes, as converters do.
std::vector<uint8_t> WriteModel(const std::vector<SubgraphSpec>& subgraphs);
inline std::vector<uint8_t> WriteModel(const SubgraphSpec& subgraph) {
  return WriteModel(std::vector<SubgraphSpec>{subgraph});
}

/// The bytes of values, little endian.
template <typename T>
std::vector<uint8_t> ToBytes(const std::vector<T>& values) {
  const auto* const first = reinterpret_cast<const uint8_t*>(values.data());
  return {first, first + values.size() * sizeof(T)};
}

}  // namespace ota::formats
