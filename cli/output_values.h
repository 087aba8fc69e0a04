// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "formats/tflite/model_reader.h"

namespace ota::cli {

/// The numbers of an output in its own type, as an array. CommandError: its type has no numbers.
nlohmann::json ReadOutputValues(ByteSpan bytes, const formats::TensorInfo& tensor);

/// One of those as a real number: quantized ones by the tensor's scale and zero point.
double ToReal(const nlohmann::json& value, const formats::TensorInfo& tensor);

}  // namespace ota::cli
