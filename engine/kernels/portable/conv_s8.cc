// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/conv.h"

namespace ota::engine {

void BeginConvTileS8(const ConvRows<ConvS8>&, ChannelTermS8*) {}
void ConvRowsS8(const ConvRows<ConvS8>& job) { ReferenceConvRows(job); }

}  // namespace ota::engine
