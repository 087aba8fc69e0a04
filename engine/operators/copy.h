// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/prepare_context.h"
#include "engine/run_context.h"

namespace ota::engine {

/// Prepares an operator whose first output has the bytes of its first input: both become the same
/// memory if that is possible, otherwise RunCopy copies. kUnsupportedShape, kUnsupportedType: they
/// differ in size or type.
Status PrepareCopy(PrepareContext& context);
/// Commits a copy of so many bytes.
Status CommitCopy(PrepareContext& context, Slot input, Slot output, uint32_t size_bytes);
Status RunCopy(RunContext& context);

}  // namespace ota::engine
