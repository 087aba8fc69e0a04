// SPDX-License-Identifier: Apache-2.0
// On a host through the emulated instructions of dsp.h. On emulated boards whole models run through
// the same kernels (firmware/).
#include "engine/kernels/kernels_test.h"

namespace ota::engine {
namespace {

TEST(CortexMKernels, ConvolutionsEqualTheReference) {
  ExpectConvolutionsEqualTheReference(ConvTileChannelsS8);
}

TEST(CortexMKernels, ConvolutionsInNarrowTilesEqualTheReference) {
  ExpectConvolutionsEqualTheReference([](const WindowShape&) { return 8u; });
}

TEST(CortexMKernels, ChannelQuadsEqualTheReference) { ExpectChannelQuadsEqualTheReference(); }

TEST(CortexMKernels, DepthwiseConvolutionsEqualTheReference) {
  ExpectDepthwiseConvolutionsEqualTheReference(DepthwiseTileChannelsS8);
}

TEST(CortexMKernels, FullyConnectedEqualsTheReference) { ExpectFullyConnectedEqualsTheReference(); }

TEST(CortexMKernels, SumsEqualTheReference) { ExpectSumsEqualTheReference(50); }

}  // namespace
}  // namespace ota::engine
