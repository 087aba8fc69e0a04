// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/copy.h"
#include "engine/operators/operators.h"

// VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE: named state. A handle exists in the plan alone;
// reading and assigning are copies.

namespace ota::engine {

using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kContainerOption = 0;
constexpr uint32_t kNameOption = 1;

Status VerifyHandle(const TensorInfo& handle) {
  if (handle.type != TensorType::kResource) return Status::kUnsupportedType;
  return handle.element_count == 1 ? Status::kOk : Status::kUnsupportedShape;
}

Status PrepareVarHandle(PrepareContext& context) {
  if (context.input_count() != 0 || context.output_count() != 1) return Status::kModelMalformed;
  OTA_TRY(const TensorInfo& handle, context.ReadOutput(0));
  OTA_TRY(VerifyHandle(handle));
  return context.NameResource(0, kContainerOption, kNameOption);
}

Status RunVarHandle(RunContext&) { return Status::kOk; }

Status PrepareReadVariable(PrepareContext& context) {
  if (context.input_count() != 1 || context.output_count() != 1) return Status::kModelMalformed;
  OTA_TRY(const TensorInfo& handle, context.ReadInput(0));
  OTA_TRY(const TensorInfo& output, context.ReadOutput(0));
  OTA_TRY(VerifyHandle(handle));
  const Slot state = context.ResourceSlot(0, output);
  return CommitCopy(context, state, context.OutputSlot(0), output.size_bytes);
}

Status PrepareAssignVariable(PrepareContext& context) {
  if (context.input_count() != 2 || context.output_count() != 0) return Status::kModelMalformed;
  OTA_TRY(const TensorInfo& handle, context.ReadInput(0));
  OTA_TRY(const TensorInfo& value, context.ReadInput(1));
  OTA_TRY(VerifyHandle(handle));
  const Slot state = context.ResourceSlot(0, value);
  return CommitCopy(context, context.InputSlot(1), state, value.size_bytes);
}

}  // namespace

const Operator kVarHandle = {static_cast<int32_t>(formats::OperatorCode::kVarHandle), nullptr,
                             PrepareVarHandle, RunVarHandle};
const Operator kReadVariable = {static_cast<int32_t>(formats::OperatorCode::kReadVariable), nullptr,
                                PrepareReadVariable, RunCopy};
const Operator kAssignVariable = {static_cast<int32_t>(formats::OperatorCode::kAssignVariable),
                                  nullptr, PrepareAssignVariable, RunCopy};

}  // namespace ota::engine
