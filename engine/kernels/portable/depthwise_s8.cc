// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv.h"

namespace ota::engine {

void BeginDepthwiseTileS8(const ConvRows<ConvS8>&, ChannelTermS8*) {}
void DepthwiseRowsS8(const ConvRows<ConvS8>& job) { ReferenceDepthwiseRows(job); }

}  // namespace ota::engine
