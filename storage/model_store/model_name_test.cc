// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "storage/model_store/model_store.h"

namespace ota::storage {
namespace {

TEST(ModelName, TakesWhatIsAFileNameEverywhere) {
  EXPECT_TRUE(ModelName("kws").is_valid());
  EXPECT_TRUE(ModelName("person_detect-v2.tflite").is_valid());
  EXPECT_TRUE(ModelName("1234567890123456789012345678901").is_valid());
}

TEST(ModelName, RefusesEverythingElse) {
  EXPECT_FALSE(ModelName("").is_valid());
  EXPECT_FALSE(ModelName(".hidden").is_valid());
  EXPECT_FALSE(ModelName("a/b").is_valid());
  EXPECT_FALSE(ModelName("a b").is_valid());
  EXPECT_FALSE(ModelName("caf\xc3\xa9").is_valid());
  EXPECT_FALSE(ModelName("12345678901234567890123456789012").is_valid());
}

TEST(ModelName, ComparesByText) {
  EXPECT_EQ(ModelName("kws"), ModelName("kws"));
  EXPECT_FALSE(ModelName("kws") == ModelName("kws2"));
}

}  // namespace
}  // namespace ota::storage
