// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/gather_copy.h"

#include <cstring>

#include "engine/chain_builder.h"
#include "engine/operators/patch_rules.h"

namespace ota::engine {

namespace {

uint32_t CountRuns(const GatherCopyParams& params) {
  uint32_t runs = 1;
  for (uint32_t i = 0; i + 1 < kGatherRankMax; ++i) runs *= params.sizes[i];
  return runs;
}

// Element of the input with which run `run` begins.
uint32_t FindRun(const GatherCopyParams& params, uint32_t run) {
  int64_t element = params.first;
  for (uint32_t i = kGatherRankMax - 1; i-- > 0;) {
    element += int64_t{run % params.sizes[i]} * params.strides[i];
    run /= params.sizes[i];
  }
  return static_cast<uint32_t>(element);
}

void CopyRun(const GatherCopyParams& params, const uint8_t* source, uint8_t* target) {
  const uint32_t bytes = params.element_bytes;
  const uint32_t count = params.sizes[kGatherRankMax - 1];
  const int32_t stride = params.strides[kGatherRankMax - 1];
  if (stride == 1) {
    std::memcpy(target, source, count * bytes);
    return;
  }
  const ptrdiff_t step = ptrdiff_t{stride} * static_cast<ptrdiff_t>(bytes);
  for (uint32_t i = 0; i < count; ++i) {
    std::memcpy(target + i * bytes, source + static_cast<ptrdiff_t>(i) * step, bytes);
  }
}

}  // namespace

Status CommitGatherCopy(PrepareContext& context, GatherCopyParams& params) {
  params.input = context.InputSlot(0);
  params.output = context.OutputSlot(0);
  return context.Commit(params, 2);
}

void AllowGatheredRows(ChainBuilder& chains, PrepareContext& context, const void*) {
  chains.AllowRowsFromWhole(context, 0, 0);
}

void SelectGatheredRows(void* params, const PatchRows& rows) {
  auto& gather = *static_cast<GatherCopyParams*>(params);
  uint32_t at = 0;
  while (at + 1 < kGatherRankMax && gather.sizes[at] == 1) ++at;
  const int64_t skipped = int64_t{rows.output.begin} * gather.strides[at];
  gather.first = static_cast<uint32_t>(gather.first + skipped);
  gather.sizes[at] = rows.output.size();
}

Status RunGatherCopy(RunContext& context) {
  const auto& params = context.params<GatherCopyParams>();
  const uint32_t runs = CountRuns(params);
  const uint32_t run_bytes = params.sizes[kGatherRankMax - 1] * params.element_bytes;
  if (run_bytes == 0) return Status::kOk;
  while (context.unit() < runs) {
    const uint32_t run = context.unit();
    const uint8_t* const source =
        context.Data(params.input) + FindRun(params, run) * params.element_bytes;
    CopyRun(params, source, context.Data(params.output) + run * run_bytes);
    if (context.FinishUnit(params.sizes[kGatherRankMax - 1])) return Status::kBusy;
  }
  return Status::kOk;
}

}  // namespace ota::engine
