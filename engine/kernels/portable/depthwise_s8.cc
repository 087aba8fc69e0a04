// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv.h"

namespace ota::engine {

uint32_t DepthwiseScratchBytesS8(const WindowShape&) { return 0; }
void BeginDepthwiseTileS8(const ConvRow<ConvS8>&, ChannelTermS8*) {}
void DepthwiseRowS8(const ConvRow<ConvS8>& job) { ReferenceDepthwiseRow(job); }

}  // namespace ota::engine
