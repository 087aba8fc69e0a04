// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernels_test.h"

namespace ota::engine {
namespace {

TEST(HostKernels, ConvolutionsEqualTheReference) {
  ExpectConvolutionsEqualTheReference(ConvBlockChannelsS8);
}

TEST(HostKernels, ChannelQuadsEqualTheReference) { ExpectChannelQuadsEqualTheReference(); }

TEST(HostKernels, DepthwiseConvolutionsEqualTheReference) {
  ExpectDepthwiseConvolutionsEqualTheReference(DepthwiseBlockChannelsS8);
}

TEST(HostKernels, FullyConnectedEqualsTheReference) { ExpectFullyConnectedEqualsTheReference(); }

TEST(HostKernels, SumsEqualTheReference) {
  ExpectSumsEqualTheReference(50);
  ExpectSumsEqualTheReference(700);
}

}  // namespace
}  // namespace ota::engine
