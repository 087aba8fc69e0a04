// SPDX-License-Identifier: Apache-2.0
// The kernels for size, on a host through the emulated instructions of dsp.h. On emulated boards
// whole models run through the same kernels (firmware/).
#include "engine/kernels/kernels_test.h"

namespace ota::engine {
namespace {

TEST(SmallKernels, ConvolutionsEqualTheReference) {
  ExpectConvolutionsEqualTheReference(ConvTileChannelsS8);
}

TEST(SmallKernels, ConvolutionsInNarrowTilesEqualTheReference) {
  ExpectConvolutionsEqualTheReference([](const WindowShape&) { return 8u; });
}

TEST(SmallKernels, ChannelQuadsEqualTheReference) { ExpectChannelQuadsEqualTheReference(); }

TEST(SmallKernels, DepthwiseConvolutionsEqualTheReference) {
  ExpectDepthwiseConvolutionsEqualTheReference(DepthwiseTileChannelsS8);
}

TEST(SmallKernels, FullyConnectedEqualsTheReference) { ExpectFullyConnectedEqualsTheReference(); }

TEST(SmallKernels, SumsEqualTheReference) { ExpectSumsEqualTheReference(50); }

}  // namespace
}  // namespace ota::engine
