// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/operators/operators.h"
#include "engine/prepare_context.h"

namespace ota::engine {

/// The prepare half of an operator that takes int8 alone, made of that which takes more.
/// kUnsupportedType: the first input or the output is of another type.
template <Status (*prepare)(PrepareContext& context)>
Status PrepareInt8(PrepareContext& context) {
  OTA_TRY(const formats::TensorInfo input, context.ReadInput(0));
  OTA_TRY(const formats::TensorInfo output, context.ReadOutput(0));
  const bool is_int8 =
      input.type == formats::TensorType::kInt8 && output.type == formats::TensorType::kInt8;
  return is_int8 ? prepare(context) : Status::kUnsupportedType;
}

}  // namespace ota::engine
