// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/dense.h"

namespace ota::engine {

void FullyConnectedS8(const DenseRows<ConvS8>& job) { ReferenceDenseRows(job); }

}  // namespace ota::engine
