// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/copy.h"
#include "engine/operators/operators.h"

namespace ota::engine {

const Operator kSqueeze = {static_cast<int32_t>(formats::OperatorCode::kSqueeze), nullptr,
                           PrepareCopy, RunCopy};
const Operator kExpandDims = {static_cast<int32_t>(formats::OperatorCode::kExpandDims), nullptr,
                              PrepareCopy, RunCopy};

}  // namespace ota::engine
