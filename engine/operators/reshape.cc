// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/copy.h"
#include "engine/operators/operators.h"

namespace ota::engine {

const Operator kReshape = {static_cast<int32_t>(formats::OperatorCode::kReshape), nullptr,
                           PrepareCopy, RunCopy};

}  // namespace ota::engine
