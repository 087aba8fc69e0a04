// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "engine/prepare_context.h"
#include "formats/tflite/flexbuffer_reader.h"
#include "formats/tflite/schema.h"

// What the operators of the audio front end have in common while they are prepared.

namespace ota::engine {

constexpr auto kCustomCode = static_cast<int32_t>(formats::OperatorCode::kCustom);

/// The options of a custom operator, a FlexBuffers map of whole numbers.
class SignalOptions {
 public:
  explicit SignalOptions(PrepareContext& context)
      : map_(context.reader(), context.custom_options()), status_(map_.Open()) {}

  /// The value of `key`. kModelMalformed: absent, negative, or not below `bound`.
  Result<uint32_t> ReadBelow(std::string_view key, uint32_t bound) {
    OTA_TRY(status_);
    OTA_TRY(const int32_t value, map_.FindInteger(key));
    if (value < 0 || static_cast<uint32_t>(value) >= bound) return Status::kModelMalformed;
    return static_cast<uint32_t>(value);
  }

 private:
  formats::FlexMapReader map_;
  Status status_;
};

struct ExpectedType {
  const formats::TensorInfo& tensor;
  formats::TensorType type;
};

/// kUnsupportedType unless each tensor has its type.
inline Status VerifySignalTypes(std::initializer_list<ExpectedType> tensors) {
  for (const ExpectedType& expected : tensors) {
    if (expected.tensor.type != expected.type) return Status::kUnsupportedType;
  }
  return Status::kOk;
}

}  // namespace ota::engine
