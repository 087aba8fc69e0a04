// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv.h"

namespace ota::engine {

void FullyConnectedS8(const ConvRows<ConvS8>& job, ChannelTermS8*) { ReferenceConvRows(job); }

}  // namespace ota::engine
