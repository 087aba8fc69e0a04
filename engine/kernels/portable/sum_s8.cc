// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/sum.h"

namespace ota::engine {

void ComputeSumRowS8(const SumS8& sum, const SumRowS8& row) { ReferenceSumRowS8(sum, row); }

}  // namespace ota::engine
