// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv.h"

namespace ota::engine {

uint32_t ConvScratchBytesS8(const WindowShape&) { return 0; }
void BeginConvTileS8(const ConvRow<ConvS8>&, ChannelTermS8*) {}
void ConvRowS8(const ConvRow<ConvS8>& job) { ReferenceConvRow(job); }
void FullyConnectedS8(const ConvRow<ConvS8>& job, ChannelTermS8*) { ReferenceConvRow(job); }

}  // namespace ota::engine
