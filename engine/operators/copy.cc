// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/copy.h"

#include <cstring>

namespace ota::engine {

using formats::TensorInfo;

namespace {

struct CopyParams {
  Slot input;
  Slot output;
  uint32_t size_bytes;
};

}  // namespace

Status PrepareCopy(PrepareContext& context) {
  TensorInfo input, output;
  context.ReadOperands(0, input, output);
  if (input.type != output.type) return Status::kUnsupportedType;
  if (input.size_bytes != output.size_bytes) return Status::kUnsupportedShape;
  if (context.AliasOutput(input, output)) return Status::kOk;
  const Slot source = context.InputSlot(input);
  return CommitCopy(context, source, context.OutputSlot(output), output.size_bytes);
}

Status CommitCopy(PrepareContext& context, Slot input, Slot output, uint32_t size_bytes) {
  const CopyParams params{input, output, size_bytes};
  return context.Commit(params, 2);
}

Status RunCopy(RunContext& context) {
  const auto& params = context.params<CopyParams>();
  std::memmove(context.Data(params.output), context.Data(params.input), params.size_bytes);
  return Status::kOk;
}

}  // namespace ota::engine
