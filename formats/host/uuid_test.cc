// SPDX-License-Identifier: Apache-2.0
#include "formats/host/uuid.h"

#include <gtest/gtest.h>

namespace ota::formats {
namespace {

TEST(Uuid, OfVendorAndClassAreTheOnesThatSuitPublishes) {
  EXPECT_EQ(FormatUuid(ComputeVendorId("arm.com")), "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe");
  const Uuid vendor = ComputeVendorId("example.com");
  EXPECT_EQ(FormatUuid(vendor), "cfbff0d1-9375-5685-968c-48ce8b15ae17");
  EXPECT_EQ(FormatUuid(ComputeClassId(vendor, "board-a")), "5f363112-95cf-534f-a3d1-fc8ef6f4962a");
}

TEST(Uuid, ComesBackFromItsTextAndNothingElseDoes) {
  const Uuid vendor = ComputeVendorId("example.com");
  EXPECT_EQ(*ParseUuid(FormatUuid(vendor)), vendor);
  EXPECT_EQ(*ParseUuid("CFBFF0D1-9375-5685-968C-48CE8B15AE17"), vendor);
  for (const char* text :
       {"", "example.com", "cfbff0d1-9375-5685-968c-48ce8b15ae1",
        "cfbff0d193755685968c48ce8b15ae17", "cfbff0d1-9375-5685-968c-48ce8b15ae17a",
        "cfbff0d1-9375-5685-968c-48ce8b15ae1g"}) {
    EXPECT_FALSE(ParseUuid(text).ok()) << text;
  }
}

}  // namespace
}  // namespace ota::formats
