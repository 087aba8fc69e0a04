// SPDX-License-Identifier: Apache-2.0
#include "crypto/host/hex.h"

#include <gtest/gtest.h>

#include <array>

namespace ota::crypto {
namespace {

TEST(Hex, ComesBackFromItsText) {
  const std::array<uint8_t, 4> bytes = {0x00, 0x9A, 0xF0, 0xFF};
  std::array<uint8_t, 4> again = {};
  EXPECT_EQ(HexText(bytes), "009af0ff");
  EXPECT_EQ(DecodeHex("009af0ff", again), Status::kOk);
  EXPECT_EQ(again, bytes);
  EXPECT_EQ(HexText({}), "");
}

TEST(Hex, RefusesAnythingButTheDigitsOfItsBytes) {
  std::array<uint8_t, 2> target;
  for (const char* text : {"", "abc", "abcde", "abcdef", "ABCD", "ab:d", " bcd", "abc\n"}) {
    EXPECT_EQ(DecodeHex(text, target), Status::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace ota::crypto
