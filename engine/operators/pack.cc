// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/operators.h"
#include "engine/operators/parts.h"

namespace ota::engine {

using formats::TensorInfo;

namespace {

Status PreparePack(PrepareContext& context) {
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(const uint32_t outer, CountBefore(output, context.OptionI32(1), output.rank));
  return PrepareParts(context, PartsDirection::kJoin, 0, outer);
}

Status PrepareUnpack(PrepareContext& context) {
  OTA_TRY(const TensorInfo& input, context.ReadInput(0));
  OTA_TRY(const uint32_t outer, CountBefore(input, context.OptionI32(1), input.rank));
  return PrepareParts(context, PartsDirection::kDivide, 0, outer);
}

}  // namespace

const Operator kPack = {static_cast<int32_t>(formats::OperatorCode::kPack), nullptr, PreparePack,
                        RunJoin};
const Operator kUnpack = {static_cast<int32_t>(formats::OperatorCode::kUnpack), nullptr,
                          PrepareUnpack, RunDivide};

}  // namespace ota::engine
