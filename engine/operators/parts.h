// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/prepare_context.h"
#include "engine/run_context.h"

// CONCATENATION and PACK put tensors side by side along an axis, SPLIT, SPLIT_V and UNPACK take
// them apart: the same memory moves, in one direction or the other.

namespace ota::engine {

enum class PartsDirection : uint8_t { kJoin, kDivide };

/// The whole tensor is `outer_count` times one block of each part, in the order of the parts.
/// The parts are all operands on the other side of the operator.
/// kUnsupportedShape: the parts' blocks do not add up to the whole, or there are too many of them.
Status PrepareParts(PrepareContext& context, PartsDirection direction, uint32_t whole_index,
                    uint32_t outer_count);
Status RunJoin(RunContext& context);
Status RunDivide(RunContext& context);

/// Product of a tensor's dimensions before `axis`, which may be negative and may equal the rank.
/// kUnsupportedShape: no such axis.
Result<uint32_t> CountBefore(const formats::TensorInfo& tensor, int32_t axis, uint32_t rank);

}  // namespace ota::engine
