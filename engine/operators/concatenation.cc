// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/operators.h"
#include "engine/operators/parts.h"

namespace ota::engine {

using formats::TensorInfo;

namespace {

Status PrepareConcatenation(PrepareContext& context) {
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  if (context.OptionU8(1) != 0) return Status::kUnsupportedType;
  OTA_TRY(const uint32_t outer, CountBefore(output, context.OptionI32(0), output.rank));
  return PrepareParts(context, PartsDirection::kJoin, 0, outer);
}

}  // namespace

const Operator kConcatenation = {static_cast<int32_t>(formats::OperatorCode::kConcatenation),
                                 nullptr, PrepareConcatenation, RunJoin};

}  // namespace ota::engine
