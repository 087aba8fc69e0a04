// SPDX-License-Identifier: Apache-2.0
#include "cli/output_values.h"

#include <cstring>

#include "cli/commands.h"

namespace ota::cli {

using formats::TensorInfo;
using formats::TensorType;
using nlohmann::json;

namespace {

template <typename T>
json ToArray(ByteSpan bytes) {
  json values = json::array();
  for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    values.push_back(value);
  }
  return values;
}

}  // namespace

json ReadOutputValues(ByteSpan bytes, const TensorInfo& tensor) {
  switch (tensor.type) {
    case TensorType::kFloat32:
      return ToArray<float>(bytes);
    case TensorType::kInt8:
      return ToArray<int8_t>(bytes);
    case TensorType::kUint8:
    case TensorType::kBool:
      return ToArray<uint8_t>(bytes);
    case TensorType::kInt16:
      return ToArray<int16_t>(bytes);
    case TensorType::kInt32:
      return ToArray<int32_t>(bytes);
    case TensorType::kUint32:
      return ToArray<uint32_t>(bytes);
    case TensorType::kInt64:
      return ToArray<int64_t>(bytes);
    default:
      throw CommandError("the model's output is of a type without numbers");
  }
}

double ToReal(const json& value, const TensorInfo& tensor) {
  const auto number = value.get<double>();
  if (tensor.scale_count == 0) return number;
  return (number - tensor.zero_point) * static_cast<double>(tensor.scale);
}

}  // namespace ota::cli
